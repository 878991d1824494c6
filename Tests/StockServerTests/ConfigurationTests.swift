// What flags and environment may say, who wins, and how a bad value is told; where a server may listen; how much
// memory it finds.

import StockJournal
import Testing

@testable import StockServer

private func configuration(
    _ flags: [String: String] = [:], environment: [String: String] = [:], memory: Int64? = 10 << 30
) throws -> ServerConfiguration {
    try ServerConfiguration(Settings(flags: flags, environment: environment), availableMemory: memory)
}

@Suite("The configuration")
struct ConfigurationTests {
    @Test("needs nothing to be said")
    func defaults() throws {
        let plain = try configuration()
        #expect(plain.host == "127.0.0.1")
        #expect(plain.port == 7865)
        #expect(plain.unixPath == nil)
        #expect(plain.sync == .everysec)
        #expect(plain.retention == 86_400_000)
        #expect(plain.maximumClients == 10_000)
        #expect(plain.maximumMemory == (10 << 30) / 100 * 70)
        #expect(plain.segmentSize == 64 << 20)
        #expect(plain.maximumSyncLag == 5_000)
        #expect(plain.maximumUnsyncedBytes == 512 << 20)
        #expect(!plain.insecure && !plain.acceptClock && plain.acceptTailLoss == nil)
    }

    @Test("reads each flag, and each as a variable of the environment")
    func everySetting() throws {
        let said = [
            "host": "::1", "port": "0", "unix": "/tmp/s", "dir": "d", "fsync": "always", "retention": "7d",
            "max-clients": "5", "max-memory": "2GiB", "max-skus": "6", "max-orders": "7", "insecure": "yes",
            "segment-size": "1MiB", "max-sync-lag": "250ms", "max-unsynced": "16MB", "write-patience": "90",
            "max-clock-jump": "24h", "accept-clock": "true", "accept-tail-loss": "18",
        ]
        let variables = Dictionary(uniqueKeysWithValues: said.map { (Settings.variable(for: $0.key), $0.value) })
        for read in [try configuration(said), try configuration(environment: variables)] {
            #expect(read.host == "::1")
            #expect(read.port == 0)
            #expect(read.unixPath == "/tmp/s")
            #expect(read.directory == "d")
            #expect(read.sync == .always)
            #expect(read.retention == 7 * 86_400_000)
            #expect(read.maximumClients == 5)
            #expect(read.maximumMemory == 2 << 30)
            #expect(read.maximumSKUs == 6)
            #expect(read.maximumOrders == 7)
            #expect(read.insecure)
            #expect(read.segmentSize == 1 << 20)
            #expect(read.maximumSyncLag == 250)
            #expect(read.maximumUnsyncedBytes == 16_000_000)
            #expect(read.writePatience == 90_000)
            #expect(read.maximumClockJump == 86_400_000)
            #expect(read.acceptClock)
            #expect(read.acceptTailLoss == 18)
        }
    }

    @Test("lets a flag win over its variable")
    func flagWins() throws {
        let environment = ["STOCKADE_PORT": "1", "STOCKADE_INSECURE": "1", "STOCKADE_FSYNC": "nonsense"]
        let read = try configuration(
            ["port": "2", "insecure": "false", "fsync": "never"], environment: environment)
        #expect(read.port == 2)
        #expect(!read.insecure)
        #expect(read.sync == .never)
    }

    @Test("does not take Kubernetes' STOCKADE_PORT for a port")
    func kubernetes() throws {
        #expect(try configuration(environment: ["STOCKADE_PORT": "tcp://10.0.0.7:7865"]).port == 7865)
    }

    @Test(
        "refuses a value out of form or range, naming where it stood",
        arguments: [
            ("port", "65536"), ("port", "-1"), ("port", ""), ("host", ""), ("fsync", "sometimes"),
            ("retention", "0"), ("retention", "5y"), ("retention", "1.5h"), ("retention", "99999999999999999999d"),
            ("retention", "9223372036854775807d"), ("max-clients", "0"), ("max-clients", "ten"),
            ("max-memory", "0%"), ("max-memory", "101%"), ("max-memory", "%"), ("max-memory", "4 GiB"),
            ("max-memory", "1023"), ("segment-size", "1KiB"), ("segment-size", "5GiB"), ("insecure", "perhaps"),
            ("accept-tail-loss", "0"), ("unix", ""), ("dir", ""),
            ("unix", "/01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
                + "8901234567"),
        ])
    func refuses(name: String, value: String) {
        let flag = #expect(throws: SettingError.self) { try configuration([name: value]) }
        #expect(flag?.place == "--\(name) \(value)")
        let variable = Settings.variable(for: name)
        let environment = #expect(throws: SettingError.self) { try configuration(environment: [variable: value]) }
        #expect(environment?.place == "\(variable)=\(value)")
        #expect(environment?.problem.hasPrefix("expected ") == true)
    }

    @Test("takes memory as a share of what the process may have")
    func share() throws {
        #expect(try configuration(["max-memory": "50%"], memory: 1 << 30).maximumMemory == (1 << 30) / 100 * 50)
        #expect(try configuration(memory: nil).maximumMemory == (2 << 30) / 100 * 70)
    }
}

@Suite("Where a server may listen")
struct ListenAddressTests {
    private func addresses(
        _ host: String, password: Bool = false, insecure: Bool = false
    ) throws -> [ListenAddress] {
        var configuration = ServerConfiguration()
        configuration.host = host
        configuration.password = password ? [0x78] : nil
        configuration.insecure = insecure
        return try configuration.listenAddresses()
    }

    @Test("on its own machine without a password", arguments: ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
    func loopback(host: String) throws {
        #expect(try addresses(host).count == 1)
        #expect(try addresses(host).first?.isLoopback == true)
    }

    @Test(
        "beyond it only with a password, or when told that this is meant",
        arguments: ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "128.0.0.1"])
    func beyond(host: String) throws {
        let refusal = #expect(throws: ListenError.self) { try addresses(host) }
        #expect("\(refusal as Any)".contains("--insecure"))
        #expect(try addresses(host, password: true).first?.isLoopback == false)
        #expect(try addresses(host, insecure: true).count == 1)
    }

    @Test("by name, which is looked up first")
    func names() throws {
        #expect(try addresses("localhost").allSatisfy(\.isLoopback))
        #expect(throws: ListenError.self) { try addresses("no such host!") }
    }
}

@Suite("The memory that a process may have")
struct MachineMemoryTests {
    private static let meminfo = ["/proc/meminfo": "MemTotal:       16777216 kB\nMemFree: 1 kB\n"]

    struct Machine: CustomTestStringConvertible {
        var name: String
        var files: [String: String]
        var available: Int64
        var testDescription: String { name }
    }

    @Test(
        arguments: [
            Machine(name: "is all of it outside of a group", files: [:], available: 16 << 30),
            Machine(
                name: "is what the v2 group says",
                files: ["/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max": "1073741824\n"],
                available: 1 << 30),
            Machine(
                name: "is what a group above says when that is less",
                files: [
                    "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max": "max\n",
                    "/sys/fs/cgroup/a/memory.max": "536870912\n", "/sys/fs/cgroup/memory.max": "1073741824",
                ], available: 512 << 20),
            Machine(
                name: "is what the v1 group says",
                files: [
                    "/proc/self/cgroup": "5:cpu,memory:/docker/x\n0::/docker/x\n",
                    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "2147483648\n",
                ], available: 2 << 30),
            Machine(
                name: "is not more than there is",
                files: [
                    "/proc/self/cgroup": "2:memory:/\n",
                    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                ], available: 16 << 30),
            Machine(
                name: "is read without harm from files that make no sense",
                files: ["/proc/self/cgroup": "::::\n\nx\n0::\n", "/sys/fs/cgroup/memory.max": "-1"],
                available: 16 << 30),
        ])
    func available(_ machine: Machine) {
        let files = machine.files.merging(Self.meminfo) { _, new in new }
        #expect(MachineMemory.available { files[$0] } == machine.available)
    }

    @Test("is unknown when the machine says nothing")
    func unknown() {
        #expect(MachineMemory.available { _ in nil } == nil)
    }

    @Test("is found on this machine")
    func here() {
        #expect((MachineMemory.available() ?? 0) > 16 << 20)
    }
}
