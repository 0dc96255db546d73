import Locks
import Tastemaker
import Web

/// Access keys with their opened secrets, kept for a few seconds so that a signature costs no query.
///
/// Bounded: when full it starts anew. While the database is away, a key known before goes on being accepted.
final class AccessKeyCache: Sendable {
    private struct Entry {
        var found: (key: AccessKey, secret: [UInt8])?
        var loadedAt: Moment
        var touchedAt: Moment?
    }

    private static let lifetime = 5.0
    private static let staleLimit = 3600.0
    private static let touchInterval = 60.0
    private static let limit = 1000

    private let entries = Lock<[String: Entry]>([:])

    /// Nil for a key that is unknown or disabled.
    func find(_ id: String, in environment: Environment) throws(OperationError) -> (key: AccessKey, secret: [UInt8])? {
        let now = environment.now()
        let known = entries.withLock { $0[id] }
        if let known, age(known, now) < AccessKeyCache.lifetime { return known.found }
        do throws(OperationError) {
            let found = try environment.openAccessKey(id: id)
            store(Entry(found: found, loadedAt: now, touchedAt: known?.touchedAt), id)
            return found
        } catch {
            if let known, known.found != nil, age(known, now) < AccessKeyCache.staleLimit { return known.found }
            throw error
        }
    }

    /// Notes the use of a key now and then.
    func noteUse(_ id: String, in environment: Environment) {
        let now = environment.now()
        let isDue = entries.withLock { entries in
            guard let entry = entries[id] else { return false }
            if let last = entry.touchedAt, now.epochSeconds - last.epochSeconds < AccessKeyCache.touchInterval { return false }
            entries[id]?.touchedAt = now
            return true
        }
        // Its only reader is a column of the console; a failure costs nothing.
        if isDue { try? environment.touchAccessKey(id: id) }
    }

    private func age(_ entry: Entry, _ now: Moment) -> Double { now.epochSeconds - entry.loadedAt.epochSeconds }

    private func store(_ entry: Entry, _ id: String) {
        entries.withLock { entries in
            if entries.count >= AccessKeyCache.limit, entries[id] == nil { entries.removeAll(keepingCapacity: true) }
            entries[id] = entry
        }
    }
}
