import Glibc

/// A process that this one started: in a session of its own, so that Ctrl-C reaches only us and we end our children in order,
/// and signalled by the kernel when our main thread dies.
struct ChildProcess: Equatable, Hashable {
    let pid: pid_t

    /// What a child is given.
    struct Plan {
        var arguments: [String]
        /// The whole environment, nothing is inherited.
        var environment: [String: String]
        /// The user to become; only root may ask for one.
        var user: SystemUser?
        /// Sent to the child by the kernel when we die.
        var signalAtOurDeath: String
        /// The child's descriptor -> ours. 0 is /dev/null and 1 is 2 unless given; ours
        /// are all marked close-on-exec, so no other passes.
        var descriptors: [Int32: Int32] = [:]
    }

    /// Starts it. `arguments[0]` is an absolute path.
    static func start(_ plan: Plan) throws(Failure) -> ChildProcess {
        // setpriv (util-linux, always there on Debian) drops the user and asks for the signal at our death, then becomes the
        // program in the same process.
        var arguments = ["/usr/bin/setpriv", "--pdeathsig", plan.signalAtOurDeath]
        if let user = plan.user {
            arguments += ["--reuid", String(user.uid), "--regid", String(user.gid), "--init-groups"]
        }
        arguments += ["--"] + plan.arguments

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // First to numbers above every target, so that no copy overwrites the source of a later one.
        let moved = plan.descriptors.sorted { $0.key < $1.key }.enumerated().map { (100 + Int32($0.offset), $0.element) }
        for (high, pair) in moved {
            posix_spawn_file_actions_adddup2(&actions, pair.value, high)
        }
        if plan.descriptors[0] == nil {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        for (high, pair) in moved {
            posix_spawn_file_actions_adddup2(&actions, high, pair.key)
            posix_spawn_file_actions_addclose(&actions, high)
        }
        if plan.descriptors[1] == nil {
            posix_spawn_file_actions_adddup2(&actions, 2, 1)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let newSession: Int32 = 0x80  // POSIX_SPAWN_SETSID, a macro of another header level
        posix_spawnattr_setflags(&attributes, Int16(newSession | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var pid = pid_t()
        let error = withCStrings(arguments) { argv in
            withCStrings(plan.environment.map { "\($0.key)=\($0.value)" }) { envp in
                posix_spawn(&pid, arguments[0], &actions, &attributes, argv, envp)
            }
        }
        guard error == 0 else {
            throw Failure("\(plan.arguments[0]) cannot be started: \(systemMessage(error)).")
        }
        return ChildProcess(pid: pid)
    }

    func signal(_ number: Int32) {
        kill(pid, number)
    }

    /// Waits for this child only.
    func wait() -> Ending {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return Ending(status: status)
    }

    /// Waits until the deadline; nil when it still runs then.
    func wait(milliseconds: Int) -> Ending? {
        let deadline = monotonicMilliseconds() + milliseconds
        while true {
            var status: Int32 = 0
            if waitpid(pid, &status, WNOHANG) != 0 { return Ending(status: status) }
            if monotonicMilliseconds() >= deadline { return nil }
            pause(milliseconds: 10)
        }
    }

    /// A child of ours that has ended, or nil when none has.
    static func reap() -> (child: ChildProcess, ending: Ending)? {
        var status: Int32 = 0
        let pid = waitpid(-1, &status, WNOHANG)
        return pid > 0 ? (ChildProcess(pid: pid), Ending(status: status)) : nil
    }
}

/// How a process ended.
enum Ending: Equatable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)

    /// From the status word of waitpid, whose macros do not import.
    init(status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .exited(status >> 8 & 0xff) : .signalled(signal)
    }

    var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signalled(let number): "signal \(number)"
        }
    }
}

private func withCStrings<Result>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result) -> Result {
    let copies = strings.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    return body(copies + [nil])
}
