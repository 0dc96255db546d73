import Glibc

/// Both ends of a pipe that no child inherits by accident.
struct Pipe {
    let reading: Int32
    let writing: Int32

    init() throws(Failure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure("A pipe cannot be made: \(systemMessage()).") }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (reading, writing) = (ends[0], ends[1])
    }
}

/// What a readiness pipe says without waiting.
enum Readiness: Equatable {
    case pending
    case ready
    case gone

    /// Looks at the reading end: a byte means ready, its end means that the child died or closed it.
    init(of descriptor: Int32) {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, 0) > 0 else {
            self = .pending
            return
        }
        var byte: UInt8 = 0
        self = read(descriptor, &byte, 1) == 1 ? .ready : .gone
    }

    /// The descriptor on which a child says that it serves.
    static let childDescriptor: Int32 = 3

    /// Says so to the process that started this one, if that asked by TASTEMAKER_READY.
    struct Announcement: Sendable {
        private let isAsked: Bool

        /// Make it before the first thread: it takes the variable out of the environment, for the children's sake.
        init() {
            isAsked = getenv("TASTEMAKER_READY") != nil
            unsetenv("TASTEMAKER_READY")
            if isAsked { _ = fcntl(Readiness.childDescriptor, F_SETFD, FD_CLOEXEC) }
        }

        func make() {
            guard isAsked else { return }
            writeAll("r", to: Readiness.childDescriptor)
            close(Readiness.childDescriptor)
        }
    }
}
