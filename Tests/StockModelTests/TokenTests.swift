// The token rule, byte by byte and for eight bytes at once.

import StockModel
import Testing

@Suite("Tokens")
struct TokenTests {
    @Test("One byte that no token has is found wherever it stands, and no byte of a token is taken for one")
    func rule() {
        for length in 1...20 {
            for place in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    var bytes = [UInt8](repeating: UInt8(ascii: "~"), count: length)
                    bytes[place] = byte
                    let follows = bytes.withUnsafeBytes { bytes in
                        bytes.baseAddress.map { hasOnlyTokenBytes(Token(base: $0, count: bytes.count)) }
                    }
                    let isToken = (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "=")
                    #expect(isTokenByte(byte) == isToken)
                    #expect(follows == isToken, "byte \(byte) at \(place) of \(length)")
                }
            }
        }
    }
}
