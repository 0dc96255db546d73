import Glibc

/// A listening unix socket, owned by the supervisor so that no worker's death refuses a connection.
struct UnixListener {
    let path: String
    let descriptor: Int32

    /// The longest path that the kernel takes, without the ending zero byte.
    static let longestPath = 107

    /// Listens at `path`. Only the own user may connect, and `group` when one is given.
    /// A socket left by a dead process is replaced, one with a living listener refused.
    init(path: String, group: gid_t? = nil) throws(Failure) {
        guard path.utf8.count <= Self.longestPath else {
            throw Failure(
                "The socket path \(path) has \(path.utf8.count) bytes and the system takes \(Self.longestPath): name a shorter folder with --run."
            )
        }
        if Self.answers(path) {
            throw Failure("Another process already listens on \(path): stop it first, or name another folder with --run.")
        }
        self.path = path
        unlink(path)
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure("A socket cannot be made: \(systemMessage()).") }
        let before = umask(0o177)
        let bound = Self.withAddress(path) { bind(descriptor, $0, $1) }
        let problem = errno
        umask(before)
        guard bound == 0 else { throw Failure("The socket \(path) cannot be made: \(systemMessage(problem)).") }
        if let group {
            guard chown(path, uid_t.max, group) == 0, chmod(path, 0o660) == 0 else {
                throw Failure("The socket \(path) cannot be given to group \(group): \(systemMessage()); run as a member of it.")
            }
        }
        // The backlog holds the requests of the moment in which a worker is replaced.
        guard listen(descriptor, 4096) == 0 else { throw Failure("The socket \(path) cannot listen: \(systemMessage()).") }
    }

    /// Whether somebody accepts connections there.
    static func answers(_ path: String) -> Bool {
        guard path.utf8.count <= longestPath else { return false }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        return withAddress(path) { connect(probe, $0, $1) } == 0
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}
