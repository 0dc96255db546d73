import Foundation
import Glibc

/// The data folder of an installation: `pg/ models/ uploads/ secret.key tastemaker.env`, one running `up` at a time.
struct DataFolder {
    let path: String
    /// The account that owns everything in it.
    let owner: SystemUser
    private let lock: Int32

    var cluster: String { path + "/pg" }
    var secretKey: String { path + "/secret.key" }

    /// Makes what is missing and takes the lock, which ends with this process.
    init(path: String, owner: SystemUser) throws(Failure) {
        (self.path, self.owner) = (path, owner)
        try Self.makeOwned(path, owner, mode: 0o700)
        let file = path + "/lock"
        lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw Failure("\(file) cannot be opened: \(systemMessage()); give the folder to \(owner.name).") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let holder = (try? String(contentsOfFile: file, encoding: .utf8))?.trimmed ?? ""
            throw Failure(
                "Another tastemaker\(holder.isEmpty ? "" : ", process \(holder),") already runs on \(path): stop it first, or name another folder with --data."
            )
        }
        ftruncate(lock, 0)
        writeAll("\(getpid())\n", to: lock)
        try Self.give(file, to: owner)
        for name in ["models", "uploads", "uploads/nginx"] {
            try Self.makeOwned("\(path)/\(name)", owner, mode: 0o700)
        }
        try checkKey()
    }

    /// True until the private cluster has been made.
    var hasNoCluster: Bool { access(cluster + "/PG_VERSION", F_OK) != 0 }

    /// A folder of the owner's.
    static func makeOwned(_ path: String, _ owner: SystemUser, mode: mode_t) throws(Failure) {
        try makeFolder(path, mode: mode)
        try give(path, to: owner)
    }

    private static func give(_ path: String, to owner: SystemUser) throws(Failure) {
        guard SystemUser.current.isRoot else { return }
        guard lchown(path, owner.uid, owner.gid) == 0 else {
            throw Failure("\(path) cannot be given to \(owner.name): \(systemMessage()).")
        }
    }

    /// Makes the key on a first start; refuses when it is missing from a folder that has data.
    private func checkKey() throws(Failure) {
        if access(secretKey, F_OK) == 0 {
            var info = stat()
            guard stat(secretKey, &info) == 0, info.st_size == 32 else {
                throw Failure("\(secretKey) is damaged (it has 32 bytes when whole): put back its copy from your backup.")
            }
            return
        }
        guard hasNoCluster else {
            throw Failure(
                "\(secretKey) is missing though \(cluster) holds data: put it back from your backup; without it the stored keys cannot be read."
            )
        }
        try writeNewKey()
    }

    private func writeNewKey() throws(Failure) {
        var key = [UInt8](repeating: 0, count: 32)
        guard getentropy(&key, key.count) == 0 else { throw Failure("The system gives no random bytes: \(systemMessage()).") }
        // Whole or not at all: the name appears after the bytes are on disk.
        let draft = secretKey + ".new"
        unlink(draft)
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure("\(draft) cannot be made: \(systemMessage()).") }
        defer { close(file) }
        guard write(file, key, key.count) == key.count, fsync(file) == 0 else {
            throw Failure("\(draft) cannot be written: \(systemMessage()); make room on the disk.")
        }
        try Self.give(draft, to: owner)
        guard rename(draft, secretKey) == 0 else { throw Failure("\(secretKey) cannot be made: \(systemMessage()).") }
    }
}
