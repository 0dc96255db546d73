import Glibc
import Logging

/// Keeps the worker processes of every pool alive. It owns the listening sockets, so a worker's death or replacement refuses
/// no connection: what waits in the backlog is taken by its sibling or successor.
struct Supervisor {
    /// How the worker of a pool is started: the program and its arguments.
    typealias Command = @Sendable (WorkerPool) -> [String]

    private enum State {
        case waiting(until: Int)
        case starting(Worker)
        case serving(Worker)
    }

    private struct Worker {
        let child: ChildProcess
        let readyPipe: Int32
        let began: Int
    }

    private struct Slot {
        let pool: WorkerPool
        let listener: Int32
        var state = State.waiting(until: 0)
        /// Started by a reload to take the place of the serving one.
        var successor: Worker?
        var policy = RestartPolicy()
        var needsReplacing = false
    }

    /// A worker that does not say in time that it serves is ended and started again.
    private static let startMilliseconds = 60_000

    private let command: Command
    private let environment: [String: String]
    private let drainMilliseconds: Int
    private let log: Logger
    private let readiness: Readiness.Announcement
    private let listeners: [UnixListener]
    private var slots: [Slot]
    /// Asked to end, with the moment at which they are killed.
    private var draining: [ChildProcess: Int] = [:]
    private var isAnnounced = false

    init(settings: LaunchSettings, listeners: [WorkerPool: UnixListener], readiness: Readiness.Announcement, command: @escaping Command) {
        self.command = command
        self.listeners = Array(listeners.values)
        environment = settings.childEnvironment().merging(["TASTEMAKER_READY": "1"]) { $1 }
        // A little more than the worker grants its requests, so that it ends by itself.
        drainMilliseconds = settings.drainSeconds * 1000 + 2000
        self.readiness = readiness
        log = Logger(label: "serve")
        slots = WorkerPool.allCases.flatMap { pool in
            listeners[pool].map { listener in
                (0..<settings.workers).map { _ in Slot(pool: pool, listener: listener.descriptor) }
            } ?? []
        }
    }

    /// Runs until SIGTERM or SIGINT and returns when every worker has ended. SIGHUP replaces the workers one by one.
    mutating func run(_ signals: SignalSet) {
        while true {
            advance()
            switch signals.next(milliseconds: pauseMilliseconds) {
            case SIGTERM, SIGINT:
                stop(signals)
                return
            case SIGHUP:
                log.info("replacing the workers one by one")
                for index in slots.indices { slots[index].needsReplacing = true }
            default: break
            }
            while let (child, ending) = ChildProcess.reap() {
                ended(child, ending)
            }
        }
    }

    private var pauseMilliseconds: Int {
        let busy = slots.contains {
            if case .serving = $0.state { return $0.successor != nil }
            return true
        }
        return busy ? 10 : 500
    }

    private mutating func advance() {
        let now = monotonicMilliseconds()
        for index in slots.indices {
            switch slots[index].state {
            case .waiting(let until) where now >= until: start(index)
            case .waiting, .serving: break
            case .starting(let worker): look(at: worker, index, now)
            }
            if let successor = slots[index].successor { lookAtSuccessor(successor, index, now) }
        }
        // One at a time, so that every pool always has a worker at full strength.
        if !slots.contains(where: { $0.successor != nil }), let index = slots.firstIndex(where: { $0.needsReplacing }) {
            slots[index].needsReplacing = false
            if case .serving = slots[index].state { slots[index].successor = spawn(slots[index]) }
        }
        for (child, deadline) in draining where now >= deadline {
            log.warning("killing a worker that did not end in time", metadata: ["worker": "\(child.pid)"])
            child.signal(SIGKILL)
            draining[child] = now + 5000
        }
        if !isAnnounced, slots.allSatisfy({ if case .serving = $0.state { true } else { false } }) {
            isAnnounced = true
            log.info("serving", metadata: ["workers": "\(slots.count)"])
            readiness.make()
        }
    }

    private func spawn(_ slot: Slot) -> Worker? {
        do {
            let pipe = try Pipe()
            defer { close(pipe.writing) }
            do {
                let child = try ChildProcess.start(
                    ChildProcess.Plan(
                        arguments: command(slot.pool), environment: environment, user: nil, signalAtOurDeath: "TERM",
                        descriptors: [0: slot.listener, Readiness.childDescriptor: pipe.writing]))
                return Worker(child: child, readyPipe: pipe.reading, began: monotonicMilliseconds())
            } catch {
                close(pipe.reading)
                throw error
            }
        } catch {
            log.error("a worker cannot be started", metadata: ["pool": "\(slot.pool)", "reason": "\(error)"])
            return nil
        }
    }

    private mutating func start(_ index: Int) {
        if let worker = spawn(slots[index]) {
            slots[index].state = .starting(worker)
        } else {
            delay(index, lifetime: 0)
        }
    }

    private mutating func delay(_ index: Int, lifetime: Int) {
        let milliseconds = slots[index].policy.died(afterMilliseconds: lifetime)
        if milliseconds > 0 {
            log.error(
                "a worker keeps dying; waiting before the next start",
                metadata: [
                    "pool": "\(slots[index].pool)", "deaths": "\(slots[index].policy.deaths)", "milliseconds": "\(milliseconds)",
                ])
        }
        slots[index].state = .waiting(until: monotonicMilliseconds() + milliseconds)
    }

    private mutating func look(at worker: Worker, _ index: Int, _ now: Int) {
        switch Readiness(of: worker.readyPipe) {
        case .ready:
            close(worker.readyPipe)
            slots[index].state = .serving(worker)
        case .pending where now - worker.began > Self.startMilliseconds: worker.child.signal(SIGKILL)
        case .pending, .gone: break  // Its death is reported by reap.
        }
    }

    private mutating func lookAtSuccessor(_ successor: Worker, _ index: Int, _ now: Int) {
        switch Readiness(of: successor.readyPipe) {
        case .ready:
            close(successor.readyPipe)
            if case .serving(let old) = slots[index].state { drain(old.child) }
            slots[index].state = .serving(successor)
            slots[index].successor = nil
        case .pending where now - successor.began > Self.startMilliseconds: successor.child.signal(SIGKILL)
        case .pending, .gone: break
        }
    }

    private mutating func drain(_ child: ChildProcess) {
        child.signal(SIGTERM)
        draining[child] = monotonicMilliseconds() + drainMilliseconds
    }

    private mutating func ended(_ child: ChildProcess, _ ending: Ending) {
        if draining.removeValue(forKey: child) != nil { return }
        for index in slots.indices {
            if let successor = slots[index].successor, successor.child == child {
                close(successor.readyPipe)
                slots[index].successor = nil
                for other in slots.indices { slots[other].needsReplacing = false }
                log.error("a new worker died before it served; the old ones stay", metadata: ["ending": "\(ending)"])
                return
            }
            switch slots[index].state {
            case .starting(let worker) where worker.child == child:
                close(worker.readyPipe)
                died(index, worker, ending)
                return
            case .serving(let worker) where worker.child == child:
                died(index, worker, ending)
                return
            default: break
            }
        }
    }

    private mutating func died(_ index: Int, _ worker: Worker, _ ending: Ending) {
        log.error(
            "a worker died",
            metadata: ["pool": "\(slots[index].pool)", "worker": "\(worker.child.pid)", "ending": "\(ending)"])
        if let successor = slots[index].successor {
            slots[index].state = .starting(successor)
            slots[index].successor = nil
        } else {
            delay(index, lifetime: monotonicMilliseconds() - worker.began)
        }
    }

    private mutating func stop(_ signals: SignalSet) {
        log.info("stopping")
        var living = Set(draining.keys)
        for slot in slots {
            if let successor = slot.successor { living.insert(successor.child) }
            switch slot.state {
            case .starting(let worker), .serving(let worker): living.insert(worker.child)
            case .waiting: break
            }
        }
        living.forEach { $0.signal(SIGTERM) }
        var deadline = monotonicMilliseconds() + drainMilliseconds
        while !living.isEmpty {
            while let (child, _) = ChildProcess.reap() { living.remove(child) }
            if monotonicMilliseconds() >= deadline {
                log.warning("killing workers that did not end in time", metadata: ["workers": "\(living.count)"])
                living.forEach { $0.signal(SIGKILL) }
                deadline += 5000
            }
            if !living.isEmpty { _ = signals.next(milliseconds: 20) }
        }
        listeners.forEach { unlink($0.path) }
        log.info("stopped")
    }
}
