import Glibc

/// A child of `up` that is started again when it dies.
struct Service {
    let name: String
    private let stopSignal: Int32
    private let start: () throws -> ChildProcess
    private var child: ChildProcess?
    private var began = 0
    private var policy = RestartPolicy()
    /// When to start it again, after a death.
    private var due: Int?
    private var lastEnding: Ending?

    /// A service that cannot live after so many starts ends everything.
    private static let mostDeaths = 12

    init(name: String, stopSignal: Int32, start: @escaping () throws -> ChildProcess) {
        (self.name, self.stopSignal, self.start) = (name, stopSignal, start)
    }

    var hasEnded: Bool { child == nil }

    mutating func begin() throws {
        child = try start()
        began = monotonicMilliseconds()
        due = nil
    }

    mutating func noteEnd(of ended: ChildProcess, _ ending: Ending) {
        guard child == ended else { return }
        child = nil
        lastEnding = ending
        // nginx's workers outlive a killed master and would keep the port: they are of its process group.
        kill(-ended.pid, stopSignal)
    }

    /// Plans and makes the next start; answers the ending and the delay in milliseconds, once per death.
    mutating func restartIfDue() throws -> (Ending, Int)? {
        guard child == nil else { return nil }
        var news: (Ending, Int)?
        if let ending = lastEnding {
            lastEnding = nil
            let delay = policy.died(afterMilliseconds: monotonicMilliseconds() - began)
            guard policy.deaths <= Self.mostDeaths else {
                throw Failure("\(name) ended \(policy.deaths) times in a row (\(ending)): see the log, then start again.")
            }
            due = monotonicMilliseconds() + delay
            news = (ending, delay)
        }
        if let due, monotonicMilliseconds() >= due { try begin() }
        return news
    }

    func signal(_ number: Int32) {
        child?.signal(number)
    }

    func askToEnd() {
        signal(stopSignal)
    }

    /// PostgreSQL's immediate shutdown is its SIGQUIT; its children outlive a SIGKILL of their parent for a moment.
    func endByForce() {
        signal(stopSignal == SIGINT ? SIGQUIT : SIGKILL)
    }
}
