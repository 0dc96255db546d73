import CFastCGI
import Glibc
import Synchronization

/// Answers FastCGI requests from one listening socket with plain threads, until a signal says to stop.
///
/// SIGTERM, SIGINT and SIGHUP drain: no new request is accepted, those in work are answered, idle kept connections
/// are closed, then `run` returns. Call `blockStopSignals` first thing in the process, before any thread is made.
public struct FastCGIServer: Sendable {
    public struct Settings: Sendable {
        /// A listening unix or TCP socket; a spawned worker gets it as descriptor 0.
        public var listeningDescriptor: Int32 = 0
        /// With kept connections each idle one holds a thread: at least nginx's `keepalive` plus a reserve.
        public var threads: Int
        /// Time that requests in work get after the stop signal.
        public var drainDeadline: Duration = .seconds(20)
        public var proxies = TrustedProxies()

        public init(threads: Int) {
            precondition(threads > 0, "a server needs a thread")
            self.threads = threads
        }
    }

    /// How serving ended.
    public enum Ending: Sendable, Equatable {
        /// Every request that was begun has been answered.
        case drained
        /// So many threads were still at work at the deadline. The process should end now.
        case deadline(busy: Int)
        /// The listening socket gave out by itself.
        case socketClosed
    }

    public struct StartFailure: Error, Sendable {
        public let reason: String
    }

    private let settings: Settings

    public init(_ settings: Settings) {
        self.settings = settings
    }

    /// Blocks the stop signals in the calling thread and all that it will make. libfcgi's own handler for SIGTERM would
    /// end one thread of many and leave the process alive.
    public static func blockStopSignals() {
        var set = stopSignals()
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    private static func waitForStopSignal(_ tick: () -> Void) {
        var set = stopSignals()
        var pause = timespec(tv_sec: 0, tv_nsec: 250_000_000)
        while sigtimedwait(&set, nil, &pause) < 0 { tick() }
    }

    private static func stopSignals() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGHUP)
        return set
    }

    /// Serves until a stop signal. `body` runs once in each thread: it makes the thread's own state and then calls
    /// `serve` on the thread it is given.
    ///
    ///     try server.run { thread in
    ///         var context = Context()
    ///         thread.serve { request in router.handle(request, &context) }
    ///     }
    public func run(observer: RequestObserver = RequestObserver(), body: @escaping @Sendable (WorkerThread) -> Void) throws(StartFailure)
        -> Ending
    {
        Self.blockStopSignals()
        signal(SIGPIPE, SIG_IGN)
        // libfcgi sets its handler only where none is set, and an ignored signal counts as set.
        signal(SIGUSR1, SIG_DFL)
        guard FCGX_Init() == 0 else { throw StartFailure(reason: "libfcgi could not be initialized") }
        let pool = WorkerPool(settings: settings, observer: observer, stopper: pthread_self())
        for index in 0..<settings.threads {
            guard pool.start(index, body) else {
                let reason = String(cString: strerror(errno))
                FCGX_ShutdownPending()
                _ = pool.drain(until: .now)
                throw StartFailure(reason: "thread \(index + 1) of \(settings.threads) could not be made: \(reason)")
            }
        }
        Self.waitForStopSignal(observer.tick)
        defer { observer.tick() }
        if pool.running == 0 { return .socketClosed }
        FCGX_ShutdownPending()
        let busy = pool.drain(until: .now + settings.drainDeadline)
        return busy == 0 ? .drained : .deadline(busy: busy)
    }
}
