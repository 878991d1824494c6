// A disk whose power can be cut: ext4 on a file, shut down with its page cache. What was written and not synced is gone,
// as it would be on a machine that lost its power; what was synced is there when the file is mounted again.

import CLinux
import Foundation

/// A small ext4 of a test's own, mounted until its owner is gone. Needs root and loop devices.
final class TestDisk {
    /// Where it is mounted.
    let path: String
    private let image: String

    /// Makes and mounts a disk whose file and mount point lie in `directory`.
    init(in directory: TestDirectory, megabytes: Int = 256) throws {
        path = directory.appending("disk")
        image = directory.appending("disk.ext4")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        guard FileManager.default.createFile(atPath: image, contents: nil),
            truncate(image, off_t(megabytes) << 20) == 0
        else { throw Failure("cannot make \(image): errno \(errno)") }
        try Self.run("mkfs.ext4", ["-q", "-F", image])
        try mount()
    }

    deinit { try? unmount() }

    /// Cuts the power: from now on every read, write and sync fails, and nothing more reaches the disk.
    func cutPower() throws {
        let mountPoint = clinux_openat(AT_FDCWD, path, O_RDONLY, 0)
        guard mountPoint >= 0 else { throw Failure("cannot open \(path): errno \(errno)") }
        defer { close(mountPoint) }
        // EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32), with EXT4_GOING_FLAGS_NOLOGFLUSH: the journal is not written either.
        var withoutJournal: UInt32 = 2
        guard ioctl(mountPoint, 0x8004_587D, &withoutJournal) == 0 else {
            throw Failure("the file system does not shut down: errno \(errno)")
        }
    }

    /// The machine is switched on again: mounting replays the file system's own journal. Nobody may have a file open.
    func restorePower() throws {
        try unmount()
        try mount()
    }

    /// Lets some pages of a file reach the disk before others, as a kernel does that is short of memory.
    func writeBackSomePages<Random: RandomNumberGenerator>(of file: String, using random: inout Random) throws {
        let descriptor = clinux_openat(AT_FDCWD, file, O_RDWR, 0)
        // A segment may have been removed since its name was read.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return }
        let pages = Int64(status.st_size) / 4_096
        guard pages > 0 else { return }
        for _ in 0..<8 {
            let page = Int64.random(in: 0..<pages, using: &random)
            _ = clinux_start_writeback(descriptor, page * 4_096, Int64.random(in: 1...8, using: &random) * 4_096)
        }
        // The journal of the file system says from then on that these pages have been written.
        let other = clinux_openat(AT_FDCWD, path + "/other", O_RDWR | O_CREAT, 0o600)
        guard other >= 0 else { return }
        defer { close(other) }
        _ = write(other, "x", 1)
        _ = fsync(other)
    }

    private func mount() throws { try Self.run("mount", ["-o", "loop", image, path]) }

    private func unmount() throws {
        // A process that was killed may take a moment to let its files go.
        let limit = Date(timeIntervalSinceNow: 10)
        while true {
            do {
                return try Self.run("umount", [path])
            } catch where Date() < limit {
                usleep(20_000)
            }
        }
    }

    private static func run(_ program: String, _ arguments: [String]) throws {
        let (status, output, error) = try ChildProcess.run(program, arguments)
        guard status == .exited(0) else { throw Failure("\(program) \(arguments): \(status) \(output)\(error)") }
    }

    /// Why no power can be cut here, or nil. Found out once, on a disk that must lose a file and keep another.
    static let obstacle: String? = {
        do {
            let directory = try TestDirectory()
            let disk = try TestDisk(in: directory, megabytes: 16)
            for (name, isSynced) in [("kept", true), ("lost", false)] {
                let file = clinux_openat(AT_FDCWD, disk.path + "/" + name, O_RDWR | O_CREAT, 0o600)
                guard file >= 0, write(file, name, 4) == 4, !isSynced || fsync(file) == 0 else {
                    throw Failure("\(name): errno \(errno)")
                }
                close(file)
            }
            try disk.cutPower()
            try disk.restorePower()
            let files = try FileManager.default.contentsOfDirectory(atPath: disk.path)
            guard files.contains("kept"), !files.contains("lost") else { throw Failure("after the cut there is \(files)") }
            return nil
        } catch {
            return "no ext4 can be mounted on a file and shut down here, which needs root and loop devices (\(error))"
        }
    }()
}
