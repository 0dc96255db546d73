import Foundation
import Glibc

/// A shell that holds the read end of a pipe from this process. However this process ends, the pipe closes, and the shell removes a folder.
final class Keeper: Sendable {
    private let pipe: Int32

    /// - Parameters:
    ///   - line: what the shell does before, silently.
    ///   - command: what makes a command line of another, such as one that runs it as another user.
    init(removing folder: String, after line: String = ":", as command: ([String]) -> [String] = { $0 }) throws(TestClusterError) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw TestClusterError("No pipe for the keeper of \(folder).") }
        pipe = ends[1]
        // A child that inherited the writing end would keep the folder alive.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // At most half an hour, also if this process hangs. What the user may not remove goes as far as it may.
        let script = "cd /tmp; timeout 1800 cat >/dev/null 2>&1; \(line) >/dev/null 2>&1; rm -rf \(folder)/* ; rmdir \(folder) 2>/dev/null"
        defer { close(ends[0]) }
        _ = try Child(command(["/bin/sh", "-c", script]), input: ends[0])
    }

    deinit {
        close(pipe)
    }
}

/// A program in a session of its own, silent.
///
/// Not Foundation's `Process`: that waits on a socket which a server started by `pg_ctl` inherits and never closes.
struct Child {
    private let process: pid_t

    init(_ command: [String], input: Int32?) throws(TestClusterError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Its own session, so that an interrupt at the terminal does not end the keeper before its duty.
        let setsid: Int16 = 0x80  // POSIX_SPAWN_SETSID, which does not import
        posix_spawnattr_setflags(&attributes, setsid)
        let arguments = command.map { strdup($0) }
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        guard posix_spawnp(&child, command[0], &actions, &attributes, arguments + [nil], environ) == 0 else {
            throw TestClusterError("\(command[0]) could not be started.")
        }
        process = child
    }

    /// Blocks until it ended; 0 when all was well.
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status
    }
}
