// Every transcript of the specification, played against the real server in both framings, whole and one byte
// at a time.

import Foundation
import Testing

extension EndToEnd {
    @Suite("The specification's transcripts")
    struct TranscriptTests {
        @Test("The server says what the transcript says", arguments: Rendition.all)
        func play(_ rendition: Rendition) throws {
            try TranscriptPlayer.play(rendition.transcript(), rendition.delivery)
        }

        @Test("There are transcripts to play")
        func presence() { #expect(!Rendition.files.isEmpty) }
    }

    /// One file in one delivery.
    struct Rendition: Sendable, CustomTestStringConvertible {
        let file: String
        let delivery: Delivery

        static let folder = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Protocol/transcripts").path

        static let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0.hasSuffix(".txt") }.sorted()

        /// A file that cannot be read stands here once: playing it then fails, and says why.
        static let all: [Rendition] = files.flatMap { file in
            Delivery.allCases.compactMap { delivery in
                let rendition = Rendition(file: file, delivery: delivery)
                guard let transcript = try? rendition.transcript() else {
                    return delivery.framing == .line && !delivery.isBytewise ? rendition : nil
                }
                return transcript.hasRawBytes && delivery.framing == .array ? nil : rendition
            }
        }

        func transcript() throws -> Transcript {
            let bytes = try Data(contentsOf: URL(filePath: Self.folder + "/" + file))
            return try Transcript(name: file, text: String(decoding: bytes, as: UTF8.self))
        }

        var testDescription: String { "\(file) \(delivery)" }
    }
}
