import Foundation
import Glibc

/// Where the children's log lines go: a file in the data folder, of bounded size.
struct LogFile {
    let path: String
    let descriptor: Int32

    private static let mostBytes = 64 << 20

    init(folder: String, owner: SystemUser) throws(Failure) {
        try DataFolder.makeOwned(folder, owner, mode: 0o700)
        path = folder + "/tastemaker.log"
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure("\(path) cannot be opened: \(systemMessage()).") }
        if SystemUser.current.isRoot { fchown(descriptor, owner.uid, owner.gid) }
    }

    /// Keeps one older file when this one has grown: writers hold the descriptor in append mode, so it is copied and emptied.
    func bound() {
        var info = stat()
        guard fstat(descriptor, &info) == 0, info.st_size > Self.mostBytes else { return }
        try? FileManager.default.removeItem(atPath: path + ".1")
        try? FileManager.default.copyItem(atPath: path, toPath: path + ".1")
        ftruncate(descriptor, 0)
    }
}
