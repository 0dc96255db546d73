import Glibc

/// A file that only takes room, so that a full disk can be left again: PostgreSQL needs some to recover.
struct Ballast {
    let path: String
    let owner: SystemUser
    /// The free space below which it is not made.
    let floorMegabytes: Int

    static let megabytes = 64

    private var exists: Bool { access(path, F_OK) == 0 }

    /// Makes it where there is plenty of room; without it everything works as well.
    func make() {
        guard !exists, let free = freeMegabytes(at: folder), free > floorMegabytes + 4 * Self.megabytes else { return }
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        guard posix_fallocate(file, 0, off_t(Self.megabytes) << 20) == 0 else {
            unlink(path)
            return
        }
        if SystemUser.current.isRoot { fchown(file, owner.uid, owner.gid) }
    }

    /// Gives its room back when almost none is left; true when it did.
    func freeIfFull() -> Bool {
        guard exists, let free = freeMegabytes(at: folder), free < Self.megabytes / 2 else { return false }
        return unlink(path) == 0
    }

    private var folder: String { path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } }
}
