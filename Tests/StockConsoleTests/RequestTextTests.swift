// What the console reads out of a request before it sends it.

import StockWire
import Testing

@testable import StockConsole

@Suite("Requests as they are typed")
struct RequestTextTests {
    @Test(
        "Blank lines and comments are nothing; a line loses what surrounds it",
        arguments: [
            ("", nil), ("   ", nil), ("\r", nil), ("# GET phone", nil), ("  #", nil), (" GET phone \r", "GET phone"),
            ("\tPING\t", "PING"), ("GET  phone#1", "GET  phone#1"),
        ] as [(String, String?)])
    func lines(text: String, line: String?) {
        #expect(RequestText(text)?.line == line)
    }

    @Test("The words of a command line are joined as they stand")
    func arguments() throws {
        #expect(try RequestText(arguments: ["ADJUST", "a-1", "phone", "-3"]).line == "ADJUST a-1 phone -3")
        #expect(try RequestText(arguments: ["GET phone"]).line == "GET phone")
    }

    @Test(
        "Words that would not arrive as they were meant are refused",
        arguments: [["CONFIRM", "o-1", ""], ["GET", "a\nDROP a"], ["GET", "a\rb"], ["#"], []])
    func wrongArguments(words: [String]) {
        #expect(throws: RequestText.ArgumentError.self) { try RequestText(arguments: words) }
    }

    @Test(
        "It knows where a secret is, and after what the server hangs up",
        arguments: [
            ("auth hunter2", true, false), ("HELLO 3 auth a b", true, false), ("HELLO 3", false, false),
            ("GET auth", false, false), ("quit", false, true), ("SHUTDOWN", false, true), ("authx y", false, false),
        ])
    func knowledge(line: String, carriesSecret: Bool, endsConnection: Bool) throws {
        let request = try #require(RequestText(line))
        #expect(request.carriesSecret == carriesSecret)
        #expect(request.endsConnection == endsConnection)
    }
}
