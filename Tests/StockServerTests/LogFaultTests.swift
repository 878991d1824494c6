// What clients see when the disk fails: nobody is shown what could still be lost, and nobody is told a lie.

import CLinux
import Glibc
import Testing

@testable import StockJournal
@testable import StockServer

@Suite("A failing disk, seen by clients", .timeLimit(.minutes(2)))
struct LogFaultTests {
    /// The number is the errno that each write reports; 0: it succeeds.
    private func writeFault(_ code: SharedNumber) -> SystemCalls {
        var calls = SystemCalls()
        calls.write = { file, bytes, count, offset in
            if code.value == 0 { return pwrite(file, bytes, count, Int(offset)) }
            errno = code.value
            return -1
        }
        return calls
    }

    /// The number is the errno that each sync reports; 0: it succeeds; -1: it does not end until that changes.
    private func syncFault(_ code: SharedNumber) -> SystemCalls {
        var calls = SystemCalls()
        calls.sync = { file in
            while code.value == -1 { usleep(200) }
            if code.value == 0 { return clinux_fdatasync(file) }
            errno = code.value
            return -1
        }
        return calls
    }

    @Test("while a frame cannot be written nobody is answered, reads included; then all are, in order")
    func heldReplies() throws {
        let sandbox = try Sandbox()
        let code = SharedNumber(0)
        var server = try sandbox.server(calls: writeFault(code))
        let writer = try TestClient(to: server)
        let reader = try TestClient(to: server)
        writer.send("CREATE phone 3\n")
        server.turn(until: { _ in writer.lineCount == 1 })

        code.value = EIO
        writer.send("DEDUCT o-1 phone 1\nGET phone\n")
        server.turn(until: { $0.logState.frameWaits })
        reader.send("GET phone\nPING\n")
        for _ in 0..<20 { server.turn() }
        #expect(writer.lineCount == 1)
        #expect(reader.lineCount == 0)
        let failures = server.statistics.failedWrites
        #expect(failures > 1)

        code.value = 0
        server.turn(until: { _ in writer.lineCount == 3 && reader.lineCount == 2 })
        #expect(writer.lines[1] == "+SOLD o-1 seq=2 available=2")
        #expect(reader.lines[0].hasPrefix("+STOCK phone available=2 held=0 sold=1"))
        let time = server.logState.frameWaits
        #expect(!time)
    }

    @Test("a frame that cannot be written for too long ends the server, and its clients unanswered")
    func givesUp() throws {
        let sandbox = try Sandbox()
        let code = SharedNumber(0)
        var server = try sandbox.server(calls: writeFault(code)) { $0.writePatience = 30 }
        let client = try TestClient(to: server)
        client.send("CREATE phone 3\n")
        server.turn(until: { _ in client.lineCount == 1 })
        code.value = ENOSPC
        client.send("DEDUCT o-1 phone 1\nGET phone\n")
        let status = server.run()
        #expect(status == .logFailed)
        client.takeIn()
        #expect(client.isClosed)
        #expect(client.lineCount == 1)
    }

    @Test("in the mode always a reply leaves when the disk has it; the loop does not wait for that")
    func always() throws {
        let sandbox = try Sandbox()
        let code = SharedNumber(0)
        var server = try sandbox.server(calls: syncFault(code)) { $0.sync = .always }
        let writer = try TestClient(to: server)
        let reader = try TestClient(to: server)
        reader.send("PING\n")
        server.turn(until: { _ in reader.lineCount == 1 })
        code.value = -1
        writer.send("CREATE phone 3\n")
        server.turn(until: { $0.store.ledger.sequence == 1 })
        // What a read shows could be lost too, so it waits as well.
        reader.send("GET phone\n")
        server.turn(until: { $0.waiting.count == 2 })
        #expect(writer.lineCount == 0)
        #expect(reader.lineCount == 1)
        code.value = 0
        server.turn(until: { _ in writer.lineCount == 1 && reader.lineCount == 2 })
    }

    @Test("DURABLE waits for the disk in every mode, what comes behind it waits too, and what stands before does not",
        arguments: [SyncMode.everysec, .never])
    func durable(mode: SyncMode) throws {
        let sandbox = try Sandbox()
        let code = SharedNumber(-1)
        var server = try sandbox.server(calls: syncFault(code)) { $0.sync = mode }
        defer { code.value = 0 }
        let client = try TestClient(to: server)
        client.send("CREATE phone 3\nDURABLE\nPING\n")
        server.turn(until: { _ in client.lineCount == 1 })
        server.turn(until: { $0.waiting.count == 1 })
        client.endOutput()
        for _ in 0..<5 {
            server.turnSoon()
        }
        #expect(client.lineCount == 1)
        code.value = 0
        server.turn(until: { _ in client.lineCount == 3 && client.isClosed })
        #expect(client.lines == ["+CREATED phone seq=1", "+DURABLE seq=1", "+PONG"])
    }

    @Test("after a failed sync nothing is promised, everything can be read, and both say why", arguments: [SyncMode.everysec, .never])
    func failedSync(mode: SyncMode) throws {
        let sandbox = try Sandbox()
        let code = SharedNumber(EIO)
        var server = try sandbox.server(calls: syncFault(code)) { $0.sync = mode }
        let client = try TestClient(to: server)
        let waiter = try TestClient(to: server)
        client.send("CREATE phone 3\n")
        server.turn(until: { _ in client.lineCount == 1 })
        // It asks for the disk, and what comes behind that waits too.
        waiter.send("DURABLE\nPING\n")
        server.turn(until: { _ in waiter.lineCount == 2 })
        #expect(waiter.lines[0].hasPrefix("-READONLY sync failed: "))
        #expect(waiter.lines[1] == "+PONG")
        client.send("DEDUCT o-1 phone 1\nGET phone\nDURABLE\nSTATS log\n")
        server.turn(until: { _ in client.lineCount > 10 })
        let lines = client.lines
        #expect(lines[1].hasPrefix("-READONLY sync failed: "))
        #expect(lines[2].hasPrefix("+STOCK phone available=3"))
        #expect(lines[3].hasPrefix("-READONLY sync failed: "))
        #expect(lines.contains("+log_state=readonly"))
        client.send("SHUTDOWN\n")
        let status = server.run()
        #expect(status == .logFailed)
    }

    @Test("in the mode always a failed sync ends the server, and the group that waited for it unanswered")
    func failedSyncAlways() throws {
        let sandbox = try Sandbox()
        let code = SharedNumber(EIO)
        let server = try sandbox.server(calls: syncFault(code)) { $0.sync = .always }
        let client = try TestClient(to: server)
        client.send("CREATE phone 3\nGET phone\n")
        let status = server.run()
        #expect(status == .logFailed)
        client.takeIn()
        #expect(client.isClosed)
        #expect(client.lineCount == 0)
    }

    @Test("no space for the next segment stops promises before it is met, and lets them go on when there is some")
    func noSpace() throws {
        let sandbox = try Sandbox()
        let code = SharedNumber(0)
        var calls = SystemCalls()
        calls.reserve = { file, bytes in
            if code.value == 0 { return clinux_fallocate(file, bytes) }
            errno = code.value
            return -1
        }
        let configure: (inout ServerConfiguration) -> Void = { $0.segmentSize = 256 << 10 }
        var server = try sandbox.server(configure)
        var options = server.configuration.journalOptions
        options.calls = calls
        options.spaceRetryInterval = 5_000_000
        server.store.journal = try JournalWriter(opening: server.store.directory, options: options) { _ in }
        // The first segments are there; one of the next is refused.
        code.value = ENOSPC

        let client = try TestClient(to: server)
        client.send("CREATE phone 1000000\n")
        server.turn(until: { _ in client.lineCount == 1 })
        var order = 0
        server.turn(until: { server in
            for _ in 0..<20 {
                order += 1
                client.send("DEDUCT a-rather-long-id-that-fills-the-segment-\(order) phone 1\n")
            }
            client.takeIn()
            return server.admission == .readOnly
        })
        client.send("DEDUCT o-last phone 1\nGET phone\n")
        server.turn(until: { _ in client.lines.last?.hasPrefix("+STOCK") == true })
        #expect(client.lines.contains { $0.hasPrefix("-READONLY no space for the log: ") })

        code.value = 0
        server.turn(until: { $0.admission == .open })
        client.send("DEDUCT o-more phone 1\n")
        server.turn(until: { _ in client.lines.last?.hasPrefix("+SOLD o-more") == true })
    }

    @Test("a disk that is too far behind is answered with -BUSY, and only promises are refused")
    func behind() throws {
        let sandbox = try Sandbox()
        let code = SharedNumber(-1)
        var server = try sandbox.server(calls: syncFault(code)) { $0.maximumUnsyncedBytes = 1 }
        defer { code.value = 0 }
        let client = try TestClient(to: server)
        client.send("CREATE phone 3\n")
        server.turn(until: { _ in client.lineCount == 1 })
        client.send("DEDUCT o-1 phone 1\nGET phone\n")
        server.turn(until: { _ in client.lineCount == 3 })
        #expect(client.lines[1].hasPrefix("-BUSY"))
        #expect(client.lines[2].hasPrefix("+STOCK"))
    }
}
