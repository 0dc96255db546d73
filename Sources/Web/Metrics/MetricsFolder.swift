import Foundation
import Glibc

/// The files of all processes, and one text with the sums of those that have ended, so that no counter goes back.
struct MetricsFolder: Sendable {
    private let path: String

    init(path: String) {
        self.path = path
    }

    private static let suffix = ".cells"
    private var totalPath: String { path + "/total" }

    /// A path for this process's own file.
    func newFile() -> String? {
        mkdir(path, 0o750)
        return "\(path)/\(getpid())-\(UInt64.random(in: 0...UInt64.max))\(Self.suffix)"
    }

    /// The sums over all processes, living and dead. Folds the dead ones into the total on the way.
    func sums() -> [String: UInt64] {
        let lock = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard lock >= 0 else { return [:] }
        defer { close(lock) }
        guard flock(lock, LOCK_EX) == 0 else { return [:] }
        var total = readTotal()
        var living: [String: UInt64] = [:]
        var dead: [String] = []
        var folded = total.folded
        for name in cellFiles() {
            let file = open("\(path)/\(name)", O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { continue }
            defer { close(file) }
            let isDead = flock(file, LOCK_EX | LOCK_NB) == 0
            if isDead { dead.append(name) }
            // Folded once already, by a process that ended before it could remove the file.
            if total.folded.contains(name) { continue }
            let values = Self.read(file)
            if isDead {
                folded.insert(name)
                total.values.merge(values) { $0 &+ $1 }
            } else {
                living.merge(values) { $0 &+ $1 }
            }
        }
        if !dead.isEmpty {
            total.folded = folded
            if writeTotal(total) {
                for name in dead { unlink("\(path)/\(name)") }
            }
        }
        return total.values.merging(living) { $0 &+ $1 }
    }

    private func cellFiles() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0.hasSuffix(Self.suffix) }
    }

    private static func read(_ file: Int32) -> [String: UInt64] {
        let size = MetricsFile.slotBytes * MetricsFile.slotCount
        return withUnsafeTemporaryAllocation(byteCount: size, alignment: 64) { buffer in
            let count = pread(file, buffer.baseAddress, size, 0)
            return count > 0 ? MetricsFile.values(in: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count])) : [:]
        }
    }

    private struct Total {
        var values: [String: UInt64] = [:]
        /// Files whose values are in here and which may still lie in the folder.
        var folded: Set<String> = []
    }

    /// Lines `series value`; `# file` names a folded file.
    private func readTotal() -> Total {
        var total = Total()
        guard let data = FileManager.default.contents(atPath: totalPath) else { return total }
        for line in data.split(separator: 0x0A) {
            guard let space = line.lastIndex(of: 0x20) else { continue }
            let value = String(decoding: line[(space + 1)...], as: UTF8.self)
            if line.first == UInt8(ascii: "#") {
                if access("\(path)/\(value)", F_OK) == 0 { total.folded.insert(value) }
            } else if let number = UInt64(value) {
                total.values[String(decoding: line[..<space], as: UTF8.self)] = number
            }
        }
        return total
    }

    private func writeTotal(_ total: Total) -> Bool {
        var text = ""
        for name in total.folded { text += "# \(name)\n" }
        for (series, value) in total.values { text += "\(series) \(value)\n" }
        let temporary = totalPath + ".new"
        return FileManager.default.createFile(atPath: temporary, contents: Data(text.utf8)) && rename(temporary, totalPath) == 0
    }
}
