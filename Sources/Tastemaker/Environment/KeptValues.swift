import Locks

/// Values that a process looks up for almost every request, such as keys: read again every few seconds, by one thread while the others go on
/// with what they have. While the database is away, a value known before goes on being used.
///
/// Bounded: when full it forgets what is unknown, and where that is not enough starts anew.
public final class KeptValues<Value: Sendable>: Sendable {
    private struct Entry {
        /// Nil: known to be unknown.
        var value: Value?
        var loadedAt: Moment
        /// Until then nobody reads it again.
        var nextReadAt: Double
        var notedAt: Moment?
    }

    private enum Found {
        case fresh(Value?)
        case stale(Value?, age: Double)
        case none
    }

    private let lifetime: Double
    private let limit: Int
    private let entries = Lock<[String: Entry]>([:])

    /// - Parameters:
    ///   - lifetime: seconds after which a value is read again.
    ///   - limit: values kept.
    public init(lifetime: Double, limit: Int = 1000) {
        (self.lifetime, self.limit) = (lifetime, limit)
    }

    /// How long a value outlives a database that is away, in seconds.
    private static var staleLimit: Double { 3600 }
    /// How often somebody tries to read while the database is away, in seconds.
    private static var retryInterval: Double { 1 }
    /// How long whoever tries may wait when there is a value to fall back on.
    private static var refreshMilliseconds: Int { 250 }

    /// The value, or nil where there is none.
    /// - Parameter load: reads it; its first argument is how many milliseconds it may wait for a connection, nil for the usual time.
    public func find(
        _ key: String, now: Moment, _ load: (_ waitMilliseconds: Int?) throws(OperationError) -> Value?
    ) throws(OperationError) -> Value? {
        let known: (value: Value?, age: Double)?
        switch claim(key, now) {
        case .fresh(let value): return value
        case .stale(let value, let age): known = (value, age)
        case .none: known = nil
        }
        do throws(OperationError) {
            let value = try load(known?.value == nil ? nil : Self.refreshMilliseconds)
            store(value, key, now)
            return value
        } catch {
            if error.isOutage, let known, let value = known.value, known.age < Self.staleLimit { return value }
            throw error
        }
    }

    /// Whether `interval` seconds have passed since the last true answer: for notes of use that need not be exact.
    public func isDue(_ key: String, every interval: Double, now: Moment) -> Bool {
        entries.withLock { entries in
            guard let entry = entries[key] else { return false }
            if let last = entry.notedAt, now.epochSeconds - last.epochSeconds < interval { return false }
            // Not while the database is away.
            guard now.epochSeconds - entry.loadedAt.epochSeconds <= lifetime else { return false }
            entries[key]?.notedAt = now
            return true
        }
    }

    /// Who finds a value that is too old is the one to read it again.
    private func claim(_ key: String, _ now: Moment) -> Found {
        entries.withLock { entries in
            guard let entry = entries[key] else { return .none }
            if now.epochSeconds < entry.nextReadAt { return .fresh(entry.value) }
            if entry.value != nil { entries[key]?.nextReadAt = now.epochSeconds + Self.retryInterval }
            return .stale(entry.value, age: now.epochSeconds - entry.loadedAt.epochSeconds)
        }
    }

    private func store(_ value: Value?, _ key: String, _ now: Moment) {
        entries.withLock { entries in
            if entries.count >= limit, entries[key] == nil {
                // What strangers made up goes first, so that they cannot push out what is true.
                entries = entries.filter { $0.value.value != nil }
                if entries.count >= limit { entries.removeAll(keepingCapacity: true) }
            }
            entries[key] = Entry(
                value: value, loadedAt: now, nextReadAt: now.epochSeconds + lifetime, notedAt: entries[key]?.notedAt)
        }
    }
}
