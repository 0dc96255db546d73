public import Postgres
import Synchronization

/// A clock that stands until a test moves it.
public final class TestClock: Sendable {
    private let time: Mutex<PGTimestamp>

    public init(_ time: PGTimestamp = PGTimestamp(seconds: 1_790_000_000)) {
        self.time = Mutex(time)
    }

    public var now: PGTimestamp { time.withLock { $0 } }

    public func advance(seconds: Double) {
        time.withLock { $0 = PGTimestamp(microseconds: $0.microseconds + Int64(seconds * 1_000_000)) }
    }
}
