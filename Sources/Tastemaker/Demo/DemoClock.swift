import Postgres
import Synchronization

/// The time of a simulation: stands until it is moved, and never runs backwards.
final class DemoClock: Sendable {
    private let time: Mutex<PGTimestamp>

    init(_ start: PGTimestamp) {
        time = Mutex(start)
    }

    var now: PGTimestamp { time.withLock { $0 } }

    func advance(to later: PGTimestamp) {
        time.withLock { $0 = max($0, later) }
    }
}
