// What each verb takes, as tables: the line that a client sends and the request that it means.

import StockModel
import StockWire
import Testing

@Suite("Requests")
struct RequestTests {
    @Test("A line means one request, with its options in any order and any case", arguments: [
        ("DEDUCT o-1 a 2", "DEDUCT o-1 [a 2] buyer=nil born=nil"),
        ("deduct o-1 a 2 b 1", "DEDUCT o-1 [a 2 b 1] buyer=nil born=nil"),
        ("DeDuCt o-1 a 2 born=5 buyer=ann", "DEDUCT o-1 [a 2] buyer=ann born=5"),
        ("DEDUCT o-1 a 2 BUYER=Ann Born=0", "DEDUCT o-1 [a 2] buyer=Ann born=0"),
        ("  DEDUCT   o-1  a   2  ", "DEDUCT o-1 [a 2] buyer=nil born=nil"),
        ("DEDUCT o-1 a 2\r", "DEDUCT o-1 [a 2] buyer=nil born=nil"),
        ("DEDUCT o-1 a 007", "DEDUCT o-1 [a 7] buyer=nil born=nil"),
        ("DEDUCT o-1 a 1 b 2 a 3 A 4", "DEDUCT o-1 [a 4 b 2 A 4] buyer=nil born=nil"),
        ("DEDUCT o-1 store/42:sku-7 1", "DEDUCT o-1 [store/42:sku-7 1] buyer=nil born=nil"),
        ("RESERVE o-1 15m a 2 buyer=ann", "RESERVE ttl=900000 o-1 [a 2] buyer=ann born=nil"),
        ("RESERVE o-1 900 a 2", "RESERVE ttl=900000 o-1 [a 2] buyer=nil born=nil"),
        ("RESERVE o-1 1ms a 2", "RESERVE ttl=1 o-1 [a 2] buyer=nil born=nil"),
        ("RESERVE o-1 30d a 2", "RESERVE ttl=2592000000 o-1 [a 2] buyer=nil born=nil"),
        ("RESERVE o-1 2h a 2", "RESERVE ttl=7200000 o-1 [a 2] buyer=nil born=nil"),
        ("CONFIRM o-1", "CONFIRM o-1 [] late=false"),
        ("CONFIRM o-1 late=1", "CONFIRM o-1 [] late=true"),
        ("CONFIRM o-1 a 1 b 1 late=0", "CONFIRM o-1 [a 1 b 1] late=false"),
        ("CANCEL o-1", "CANCEL o-1 born=nil reason=nil"),
        ("CANCEL o-1 reason=unpaid born=9000000000000000", "CANCEL o-1 born=9000000000000000 reason=unpaid"),
        ("EXTEND o-1 15s", "EXTEND o-1 ttl=15000"),
        ("RETURN r-1 o-1", "RETURN r-1 o-1 []"),
        ("RETURN r-1 o-1 a 1 a 2", "RETURN r-1 o-1 [a 3]"),
        ("LOOKUP o-1", "LOOKUP o-1"),
        ("HOLDS", "HOLDS sku=nil buyer=nil after=nil count=100"),
        ("HOLDS sku=a buyer=b after=12 count=1000", "HOLDS sku=a buyer=b after=12 count=1000"),
        ("CREATE a 0", "CREATE a 0 {}"),
        ("CREATE a 9000000000000000 floor=-2 limit=3 opens=4 closes=5",
            "CREATE a 9000000000000000 {floor=-2 limit=3 opens=4 closes=5}"),
        ("ADJUST x a -5", "ADJUST x a -5 reason=nil force=false"),
        ("ADJUST x a +5 reason=return force=1", "ADJUST x a 5 reason=return force=true"),
        ("COUNT a 5 if=-3", "COUNT a 5 if=-3 force=false"),
        ("COUNT a 5 id=c-1 force=1", "COUNT a 5 id=c-1 force=true"),
        ("CONFIGURE a paused=1", "CONFIGURE a {paused=true}"),
        ("configure a floor=0 limit=0 opens=0 closes=0 paused=0",
            "CONFIGURE a {floor=0 limit=0 opens=0 closes=0 paused=false}"),
        ("TRANSFER t a b 5", "TRANSFER t a b 5"),
        ("DROP a", "DROP a"),
        ("GET a", "GET a"),
        ("MGET a", "MGET a"),
        ("MGET a b a", "MGET a,b,a"),
        ("SKUS", "SKUS prefix=nil after=nil count=100"),
        ("SKUS prefix=st after=0 count=1", "SKUS prefix=st after=0 count=1"),
        ("PING", "PING nil"),
        ("PING hello", "PING hello"),
        ("DURABLE", "DURABLE -"),
        ("STATS", "STATS nil"),
        ("STATS limits", "STATS limits"),
        ("CLOCK", "CLOCK -"),
        ("AUTH secret", "AUTH nil/secret"),
        ("AUTH ann s=cr\u{E9}t", "AUTH ann/s=cr\u{E9}t"),
        ("QUIT", "QUIT -"),
        ("SHUTDOWN", "SHUTDOWN -"),
    ])
    func meaning(line: String, request: String) {
        #expect(parse(line) == request)
    }

    @Test("What stock clients of Redis say when they connect is understood", arguments: [
        ("HELLO", "HELLO version=nil login=nil"),
        ("HELLO 3", "HELLO version=3 login=nil"),
        ("hello 2 auth default pass=word setname me", "HELLO version=2 login=default/pass=word"),
        ("HELLO 3 SETNAME me AUTH u p", "HELLO version=3 login=u/p"),
        ("CLIENT SETINFO LIB-NAME redis-py", "CLIENT noted"),
        ("client setinfo lib-ver 8.0.0", "CLIENT noted"),
        ("CLIENT SETNAME worker", "CLIENT noted"),
        ("CLIENT NO-EVICT on", "CLIENT noted"),
        ("CLIENT ID", "CLIENT id"),
        ("CLIENT GETNAME", "CLIENT name"),
        ("COMMAND", "COMMAND list"),
        ("COMMAND DOCS", "COMMAND list"),
        ("COMMAND INFO get set", "COMMAND list"),
        ("COMMAND COUNT", "COMMAND count"),
        ("SELECT 0", "SELECT -"),
        ("CONFIG GET save", "CONFIG save"),
        ("config get save appendonly", "CONFIG save,appendonly"),
    ])
    func greetings(line: String, request: String) {
        #expect(parse(line) == request)
    }

    @Test("Not of the form is -SYNTAX with what was expected", arguments: [
        "DEDUCT", "DEDUCT o-1", "DEDUCT o-1 a", "DEDUCT o-1 a 1 b", "DEDUCT o-1 buyer=b", "DEDUCT o-1 a buyer=b",
        "DEDUCT o-1 a 1 buyer=b c 1", "DEDUCT o-1 a 1 colour=red", "DEDUCT o-1 a 1 late=1",
        "DEDUCT o-1 a 1 buyer=b buyer=b", "DEDUCT o-1 a 1 buyer=b BUYER=c", "DEDUCT o-1 a 1 buyer=",
        "DEDUCT o-1 a 1 buyer=a=b", "DEDUCT o-1 a 1 =b", "DEDUCT o-1 a 1 =", "DEDUCT o-1 a 1 born=-1",
        "DEDUCT o-1 a 1 born=", "DEDUCT o-1 a 1 born=1=2",
        "DEDUCT o-1 a -1", "DEDUCT o-1 a +1", "DEDUCT o-1 a 1.5", "DEDUCT o-1 a 1e3", "DEDUCT o-1 a x",
        "DEDUCT o-1 a 0x1", "DEDUCT a=b a 1", "DEDUCT o-1 a=b 1", "DEDUCT o\u{E9} a 1", "DEDUCT o\t1 a 1",
        "DEDUCT o-1 a\r 1", "DEDUCT o\u{0}1 a 1", "DEDUCT o\u{7F}1 a 1",
        "RESERVE o-1 15m", "RESERVE o-1 15m a", "RESERVE o-1 15x a 1", "RESERVE o-1 m a 1", "RESERVE o-1 ms a 1",
        "RESERVE o-1 -15m a 1", "RESERVE o-1 +15m a 1", "RESERVE o-1 1.5h a 1", "RESERVE o-1 15M a 1",
        "RESERVE o-1 1h30m a 1", "RESERVE o-1 a 1 15m",
        "CONFIRM", "CONFIRM o-1 a", "CONFIRM o-1 late", "CONFIRM o-1 late=2", "CONFIRM o-1 late=", "CONFIRM o-1 late=01",
        "CONFIRM o-1 late=1 a 1", "CONFIRM o-1 buyer=b",
        "CANCEL", "CANCEL o-1 o-2", "CANCEL o-1 reason=", "CANCEL o-1 reason=a reason=b", "CANCEL o-1 late=1",
        "EXTEND o-1", "EXTEND o-1 5m x", "EXTEND o-1 m",
        "RETURN r-1", "RETURN r-1 o-1 a", "RETURN r-1 o-1 late=1", "LOOKUP", "LOOKUP a b", "LOOKUP a=1",
        "HOLDS a", "HOLDS sku=a sku=b", "HOLDS prefix=a", "HOLDS count=-1", "HOLDS count=x", "HOLDS after=",
        "CREATE a", "CREATE a -1", "CREATE a +1", "CREATE a 1 2", "CREATE a 1 paused=1", "CREATE a 1 floor=x",
        "CREATE a 1 floor=--1", "CREATE a 1 floor=-", "CREATE a 1 limit=-1", "CREATE a 1 opens=+1", "CREATE a 1 opens=-1",
        "ADJUST x a", "ADJUST x a x", "ADJUST x a 5 force", "ADJUST x a 5 force=2", "ADJUST x a 5 6",
        "COUNT a 5", "COUNT a 5 if=3 id=x", "COUNT a -5 if=3", "COUNT a 5 if=", "COUNT a 5 force=1", "COUNT a 5 id=x=y",
        "CONFIGURE a", "CONFIGURE a paused=2", "CONFIGURE a limit=1 limit=1", "CONFIGURE a b paused=1",
        "CONFIGURE paused=1",
        "TRANSFER t a b", "TRANSFER t a a 5", "TRANSFER t a b 5 6", "TRANSFER t a b -5", "TRANSFER t a b 5 force=1",
        "DROP", "DROP a b", "GET", "GET a b", "GET a=b", "MGET", "MGET a b=c", "SKUS a", "SKUS sku=a",
        "PING a b", "PING a=b", "PING \u{E9}", "DURABLE now", "STATS a b", "CLOCK 1", "QUIT now", "SHUTDOWN NOSAVE",
        "AUTH", "AUTH a b c", "AUTH a=b c", "AUTH a\rb", "AUTH a\u{0}b",
        "HELLO x", "HELLO 3 AUTH u", "HELLO 3 AUTH u=v p", "HELLO 3 SETNAME", "HELLO 3 LIBRARY x",
        "CLIENT", "CLIENT LIST", "CLIENT SETINFO LIB-NAME", "CLIENT ID 1", "COMMAND GETKEYS", "SELECT", "SELECT x",
        "SELECT 0 1", "CONFIG", "CONFIG GET", "CONFIG SET save x", "CONFIG SET",
    ])
    func syntax(line: String) {
        let answer = parse(line)
        #expect(answer.hasPrefix("-SYNTAX expected: "), "\(line) gives \(answer)")
    }

    @Test("Of the form but out of range is -RANGE, unless something else is not of the form", arguments: [
        ("DEDUCT o-1 a 0", "-RANGE"), ("DEDUCT o-1 a 1000000000001", "-RANGE"),
        ("DEDUCT o-1 a 600000000000 a 600000000000", "-RANGE"), ("DEDUCT o-1 a 0 b", "-SYNTAX"),
        ("DEDUCT o-1 a 0 b x", "-SYNTAX"), ("DEDUCT o-1 a 0 buyer=", "-SYNTAX"), ("DEDUCT o\u{E9} a 0", "-SYNTAX"),
        ("DEDUCT o-1 a 1 born=9000000000000001", "-RANGE"), ("RESERVE o-1 0 a 1", "-RANGE"),
        ("RESERVE o-1 0ms a 1", "-RANGE"), ("RESERVE o-1 31d a 1", "-RANGE"),
        ("RESERVE o-1 99999999999999999999999999d a 1", "-RANGE"), ("EXTEND o-1 0", "-RANGE"),
        ("EXTEND o-1 2592000001ms", "-RANGE"), ("HOLDS count=0", "-RANGE"), ("HOLDS count=1001", "-RANGE"),
        ("HOLDS after=x", "-RANGE"), ("SKUS after=99999999999999999999", "-RANGE"), ("SKUS after=-1", "-RANGE"),
        ("CREATE a 9000000000000001", "-RANGE"), ("CREATE a 1 floor=9000000000000001", "-RANGE"),
        ("CREATE a 1 floor=-9000000000000001", "-RANGE"), ("CREATE a 1 limit=1000000000001", "-RANGE"),
        ("CREATE a 1 opens=9000000000000001", "-RANGE"), ("CREATE a 1 closes=9000000000000001", "-RANGE"),
        ("ADJUST x a 0", "-RANGE"), ("ADJUST x a -0", "-RANGE"), ("ADJUST x a 9000000000000001", "-RANGE"),
        ("ADJUST x a -9000000000000001", "-RANGE"), ("COUNT a 1 if=9000000000000001", "-RANGE"),
        ("COUNT a 9000000000000001 if=1", "-RANGE"), ("TRANSFER t a b 0", "-RANGE"),
        ("TRANSFER t a b 1000000000001", "-RANGE"), ("TRANSFER t a a 0", "-SYNTAX"), ("HELLO 4", "-RANGE"),
        ("HELLO 1", "-RANGE"), ("SELECT 1", "-RANGE"),
        ("DEDUCT o-1 a " + String(repeating: "9", count: 100), "-RANGE"),
        ("ADJUST x a -" + String(repeating: "9", count: 100), "-RANGE"),
        ("DEDUCT o-1 a 9223372036854775807", "-RANGE"), ("DEDUCT o-1 a 9223372036854775808", "-RANGE"),
        ("DEDUCT o-1 a 18446744073709551617", "-RANGE"),
        ("DEDUCT o-1 a " + String(repeating: "9", count: 100) + "x", "-SYNTAX"),
    ])
    func range(line: String, code: String) {
        let answer = parse(line)
        #expect(answer.hasPrefix(code + " "), "\(line) gives \(answer)")
    }

    @Test("Each usage line names its own verb, and each verb is found by its name in any case", arguments: Verb.allCases)
    func verbs(verb: Verb) {
        let name = "\(verb.name)"
        let answer = parse(name + " a=b=c =")
        #expect(answer.hasPrefix("-SYNTAX ") || verb == .auth)
        #expect(!parse(name).hasPrefix("-UNKNOWN"))
        #expect(!parse(name.lowercased()).hasPrefix("-UNKNOWN"))
        #expect(parse(name + "X") == "-UNKNOWN \(name)X")
    }

    @Test("An unknown verb is echoed only if it passes the token rule", arguments: [
        ("SET a b", "-UNKNOWN SET"), ("set", "-UNKNOWN set"), ("x", "-UNKNOWN x"), ("GE", "-UNKNOWN GE"),
        ("CONFIGURX a", "-UNKNOWN CONFIGURX"), ("CONFIGUR a", "-UNKNOWN CONFIGUR"), ("a=b", "-UNKNOWN"),
        ("\u{E9}t\u{E9}", "-UNKNOWN"), ("a\rb", "-UNKNOWN"), ("a\tb", "-UNKNOWN"),
        (String(repeating: "v", count: 128), "-UNKNOWN " + String(repeating: "v", count: 128)),
        (String(repeating: "v", count: 129), "-UNKNOWN"), ("$5", "-UNKNOWN $5"), (" *1", "-UNKNOWN *1"),
    ])
    func unknown(line: String, answer: String) {
        #expect(parse(line) == answer)
    }
}
