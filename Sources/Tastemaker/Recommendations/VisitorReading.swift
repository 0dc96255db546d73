import Foundation
import JSON
import Postgres
import Synchronization

/// What one point read tells of a request: how far the group has come, and who asks.
struct VisitorReading: Sendable {
    var revision: GroupRevision
    /// Ids of items that may exist: 0 ..< itemCount.
    var itemCount: Int32
    /// Interned ids; nil for texts never seen.
    var userID: Int32?
    var anonymousID: Int32?
    /// Oldest first: of the user, of the user's earlier names, and of the visitor.
    var history: [RecentEvent]
    /// The user's record as it is stored.
    var attributes: [UInt8]?
}

enum VisitorQueries {
    /// The one read that every recommendation makes.
    static func read(groupID: Int32, userID: String?, anonymousID: String?, _ connection: Connection) throws -> VisitorReading? {
        if let userID, let anonymousID, !userID.utf8.elementsEqual(anonymousID.utf8) {
            guard var reading = try read(groupID: groupID, externalID: userID, withAliases: true, connection) else { return nil }
            let visitor = try read(groupID: groupID, externalID: anonymousID, withAliases: false, connection)
            reading.anonymousID = visitor?.userID
            reading.history = merge(reading.history, visitor?.history ?? [])
            return reading
        }
        guard var reading = try read(groupID: groupID, externalID: userID ?? anonymousID ?? "", withAliases: userID != nil, connection)
        else {
            return nil
        }
        if anonymousID != nil { reading.anonymousID = reading.userID }
        if userID == nil { reading.userID = nil }
        return reading
    }

    private static func read(groupID: Int32, externalID: String, withAliases: Bool, _ connection: Connection) throws -> VisitorReading? {
        let rows =
            withAliases
            ? try connection.query(
                """
                SELECT r.resources, r.catalogue, r.catalogue_base, r.next_item_id, u.id, h.entries, p.attributes,
                    ARRAY(SELECT o.entries FROM user_alias a
                          JOIN history o ON o.dataset_group_id = a.dataset_group_id AND o.user_id = a.user_id
                          WHERE a.dataset_group_id = \(groupID) AND a.canonical_id = u.id ORDER BY a.created_at DESC LIMIT 10)
                FROM group_revision r
                LEFT JOIN user_key u ON u.dataset_group_id = \(groupID) AND u.external_id = \(externalID)
                LEFT JOIN history h ON h.dataset_group_id = \(groupID) AND h.user_id = u.id
                LEFT JOIN user_record p ON p.dataset_group_id = \(groupID) AND p.user_id = u.id
                WHERE r.dataset_group_id = \(groupID)
                """)
            : try connection.query(
                """
                SELECT r.resources, r.catalogue, r.catalogue_base, r.next_item_id, u.id, h.entries, p.attributes
                FROM group_revision r
                LEFT JOIN user_key u ON u.dataset_group_id = \(groupID) AND u.external_id = \(externalID)
                LEFT JOIN history h ON h.dataset_group_id = \(groupID) AND h.user_id = u.id
                LEFT JOIN user_record p ON p.dataset_group_id = \(groupID) AND p.user_id = u.id
                WHERE r.dataset_group_id = \(groupID)
                """)
        guard let row = rows.first else { return nil }
        var history = try row.optionalBytes(5).map { PackedHistory.unpack($0) } ?? []
        if withAliases {
            for entries in try row.byteStrings(7) { history = merge(history, PackedHistory.unpack(entries)) }
        }
        return VisitorReading(
            revision: GroupRevision(resources: try row.int64(0), catalogue: try row.int64(1), catalogueBase: try row.int64(2)),
            itemCount: try row.int32(3), userID: try row.optionalInt32(4), anonymousID: nil, history: history,
            attributes: try row.optionalJSON(6))
    }

    /// Both in order of time; an event that both know counts once.
    private static func merge(_ first: [RecentEvent], _ second: [RecentEvent]) -> [RecentEvent] {
        guard !second.isEmpty else { return first }
        guard !first.isEmpty else { return second }
        let added = second.filter { !first.contains($0) }
        return (first + added).enumerated().sorted { ($0.element.seconds, $0.offset) < ($1.element.seconds, $1.offset) }.map(\.element)
    }
}

/// The point read within its time box, on connections of its own, so that a slow database delays an answer by the box and no more.
final class VisitorReader: Sendable {
    private struct Breaker {
        var failures = 0
        var closedUntil: ContinuousClock.Instant?
    }

    private let pool: Pool
    private let milliseconds: Int
    private let breaker = Mutex(Breaker())

    /// - Parameter milliseconds: the time box.
    init(_ environment: Environment, milliseconds: Int) {
        self.milliseconds = milliseconds
        pool = environment.database.sibling(limit: 8, timeoutMilliseconds: milliseconds) { settings in
            settings.statementTimeoutMilliseconds = milliseconds
            settings.graceMilliseconds = milliseconds / 2
            settings.connectTimeoutMilliseconds = max(1000, milliseconds)
        }
    }

    /// - Throws: when the database did not answer within the box. After three failures in a row one request tries every half second, the
    ///   others are told at once.
    func read(groupID: Int32, userID: String?, anonymousID: String?) throws -> VisitorReading? {
        let mayTry = breaker.withLock { breaker in
            guard let until = breaker.closedUntil else { return true }
            guard ContinuousClock.now >= until else { return false }
            breaker.closedUntil = .now + .milliseconds(500)
            return true
        }
        guard mayTry else { throw PostgresError(.poolTimeout, "The database did not answer in time lately.") }
        do {
            let reading = try pool.withConnection {
                try VisitorQueries.read(groupID: groupID, userID: userID, anonymousID: anonymousID, $0)
            }
            breaker.withLock { breaker in if breaker.failures > 0 { breaker = Breaker() } }
            return reading
        } catch {
            breaker.withLock { breaker in
                breaker.failures += 1
                if breaker.failures >= 3 { breaker.closedUntil = .now + .milliseconds(500) }
            }
            throw error
        }
    }
}
