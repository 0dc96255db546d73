import Glibc
import Synchronization

/// The threads of one server and what each is doing. Shared by the threads and the one that stops them.
final class WorkerPool: Sendable {
    /// What a thread is doing, as far as a signal is concerned.
    enum State {
        /// Not yet serving, or done.
        static let absent: UInt8 = 0
        /// Waiting for a connection or for the next request of a kept one: a signal only wakes it.
        static let idle: UInt8 = 1
        /// Reading, handling or writing a request: a signal could cut the answer short, as libfcgi does not retry.
        static let busy: UInt8 = 2
        /// Idle, and being signalled just now: the thread waits before it turns busy.
        static let signalled: UInt8 = 3
    }

    /// One thread's place. The handle is written once, before the thread may be signalled.
    final class Slot: Sendable {
        let state = Atomic<UInt8>(State.absent)
        let handle = Atomic<UInt>(0)

        /// From idle to busy, after a signal under way has been sent.
        func becomeBusy() {
            while !state.compareExchange(expected: State.idle, desired: State.busy, ordering: .acquiringAndReleasing).exchanged {
                sched_yield()
            }
        }

        func becomeIdle() {
            state.store(State.idle, ordering: .releasing)
        }

        func leave() {
            while true {
                let known = state.load(ordering: .acquiring)
                if known == State.signalled {
                    sched_yield()
                } else if state.compareExchange(expected: known, desired: State.absent, ordering: .acquiringAndReleasing).exchanged {
                    return
                }
            }
        }

        /// Wakes the thread if it is idle.
        func wake() {
            guard state.compareExchange(expected: State.idle, desired: State.signalled, ordering: .acquiringAndReleasing).exchanged else {
                return
            }
            pthread_kill(pthread_t(handle.load(ordering: .acquiring)), SIGUSR1)
            state.store(State.idle, ordering: .releasing)
        }
    }

    let settings: FastCGIServer.Settings
    let observer: RequestObserver
    private let slots: [Slot]
    private let stopper: UInt
    private let alive = Atomic<Int>(0)
    private let draining = Atomic<Bool>(false)

    init(settings: FastCGIServer.Settings, observer: RequestObserver, stopper: pthread_t) {
        self.settings = settings
        self.observer = observer
        self.stopper = UInt(stopper)
        slots = (0..<settings.threads).map { _ in Slot() }
    }

    /// Threads that have not ended.
    var running: Int { alive.load(ordering: .acquiring) }

    /// Makes the thread at an index. False when the system refuses.
    func start(_ index: Int, _ body: @escaping @Sendable (WorkerThread) -> Void) -> Bool {
        let start = ThreadStart(pool: self, slot: slots[index], index: index, body: body)
        alive.add(1, ordering: .acquiringAndReleasing)
        var thread = pthread_t()
        let box = Unmanaged.passRetained(start)
        let result = pthread_create(&thread, nil, runWorkerThread, box.toOpaque())
        guard result == 0 else {
            box.release()
            alive.subtract(1, ordering: .acquiringAndReleasing)
            errno = result
            return false
        }
        pthread_detach(thread)
        return true
    }

    /// Called by a thread as its last act. The last one of all wakes the stopper, so that a dead socket ends the process.
    func ended() {
        if alive.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
            pthread_kill(pthread_t(stopper), SIGTERM)
        }
    }

    var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// Wakes idle threads again and again, as a signal may fall between a thread's look at the flag and its wait,
    /// until all have ended or the time is up. Returns how many have not.
    func drain(until deadline: ContinuousClock.Instant) -> Int {
        draining.store(true, ordering: .releasing)
        while running > 0, ContinuousClock.now < deadline {
            for slot in slots { slot.wake() }
            usleep(5000)
        }
        return running
    }
}

/// What a new thread is given.
private final class ThreadStart: Sendable {
    let pool: WorkerPool
    let slot: WorkerPool.Slot
    let index: Int
    let body: @Sendable (WorkerThread) -> Void

    init(pool: WorkerPool, slot: WorkerPool.Slot, index: Int, body: @escaping @Sendable (WorkerThread) -> Void) {
        self.pool = pool
        self.slot = slot
        self.index = index
        self.body = body
    }
}

/// A plain function, not a closure: one written where the main actor rules would be checked at run time and end the process.
private func runWorkerThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    // A parent may have spawned the process with this signal blocked; then nothing would wake the thread.
    var wakeSignal = sigset_t()
    sigemptyset(&wakeSignal)
    sigaddset(&wakeSignal, SIGUSR1)
    pthread_sigmask(SIG_UNBLOCK, &wakeSignal, nil)
    start.slot.handle.store(UInt(pthread_self()), ordering: .releasing)
    start.body(WorkerThread(pool: start.pool, slot: start.slot, index: start.index))
    start.slot.leave()
    start.pool.ended()
    return nil
}
