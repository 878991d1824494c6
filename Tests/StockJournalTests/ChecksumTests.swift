// CRC32C against published values, and its two implementations against each other.

import CMachine
import Testing

@Suite("CRC32C")
struct ChecksumTests {
    @Test("gives the values of RFC 3720, appendix B.4")
    func knownValues() {
        let zeros = [UInt8](repeating: 0, count: 32)
        let ones = [UInt8](repeating: 0xFF, count: 32)
        let rising = (0..<32).map { UInt8($0) }
        for crc in [cmachine_crc32c, cmachine_crc32c_portable] {
            #expect(crc(Array("123456789".utf8), 9, 0) == 0xE306_9283)
            #expect(crc(zeros, 32, 0) == 0x8A91_36AA)
            #expect(crc(ones, 32, 0) == 0x62A8_AB43)
            #expect(crc(rising, 32, 0) == 0x46DD_794E)
        }
    }

    @Test("is the same by instruction and by table, at every length and offset, whole or in two parts")
    func implementationsAgree() {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            for start in 0..<9 {
                for count in 0..<(300 - start) {
                    let whole = cmachine_crc32c(base + start, count, 7)
                    #expect(whole == cmachine_crc32c_portable(base + start, count, 7))
                    let cut = count / 3
                    let first = cmachine_crc32c(base + start, cut, 7)
                    #expect(whole == cmachine_crc32c(base + start + cut, count - cut, first))
                }
            }
        }
    }
}
