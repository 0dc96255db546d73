import Locks

/// Token buckets by key: each key may act `burst` times at once and then `rate` times a second.
///
/// Bounded: when a new key finds no place, full buckets are forgotten first, which loses nothing; failing that the
/// oldest half goes. One limiter counts for one process.
public final class RateLimiter: Sendable {
    private struct Bucket {
        var tokens: Double
        var updated: Double
    }

    private let rate: Double
    private let burst: Double
    private let limit: Int
    private let buckets = Lock<[[UInt8]: Bucket]>([:])

    /// `rate` in actions a second, above 0.
    public init(rate: Double, burst: Int, maximumKeys: Int = 10_000) {
        precondition(rate > 0 && burst > 0 && maximumKeys > 0, "a rate limiter lets something pass")
        self.rate = rate
        self.burst = Double(burst)
        limit = maximumKeys
    }

    /// Nil when the action may go on; else whole seconds until it may. `now` in seconds of any clock that never goes back.
    public func take(_ key: String, now: Double) -> Int? {
        buckets.withLock { buckets in
            let name = Array(key.utf8)
            if buckets[name] == nil, buckets.count >= limit { makeRoom(in: &buckets, now: now) }
            var bucket = buckets[name] ?? Bucket(tokens: burst, updated: now)
            bucket.tokens = min(burst, bucket.tokens + max(0, now - bucket.updated) * rate)
            bucket.updated = max(now, bucket.updated)
            let mayPass = bucket.tokens >= 1
            if mayPass { bucket.tokens -= 1 }
            buckets[name] = bucket
            return mayPass ? nil : max(1, Int(((1 - bucket.tokens) / rate).rounded(.up)))
        }
    }

    /// By the monotonic clock.
    public func take(_ key: String) -> Int? {
        let now = ContinuousClock.now - Self.epoch
        return take(key, now: Double(now.components.seconds) + Double(now.components.attoseconds) * 1e-18)
    }

    private static let epoch = ContinuousClock.now

    var keyCount: Int { buckets.withLock { $0.count } }

    private func makeRoom(in buckets: inout [[UInt8]: Bucket], now: Double) {
        buckets = buckets.filter { $0.value.tokens + (now - $0.value.updated) * rate < burst }
        guard buckets.count >= limit else { return }
        let middle = buckets.values.map(\.updated).sorted()[buckets.count / 2]
        buckets = buckets.filter { $0.value.updated > middle }
    }
}
