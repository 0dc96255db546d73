import Crypto
import Foundation
public import Postgres

extension Environment {
    /// Stores events in the given transaction: de-duplicates, appends the interactions, and brings the histories of their users up to date,
    /// so that the very next recommendation knows them. Outcomes are in the order of the events.
    public func storeEvents(_ events: [NewEvent], _ connection: Connection) throws -> [EventOutcome] {
        var outcomes = [EventOutcome](repeating: .duplicate, count: events.count)
        // Groups in key order, so that two writers lock alike.
        for (groupID, positions) in Dictionary(grouping: events.indices, by: { events[$0].datasetGroupID }).sorted(by: { $0.key < $1.key })
        {
            let stored = try store(positions.map { events[$0] }, groupID: groupID, connection)
            for (position, outcome) in zip(positions, stored) { outcomes[position] = outcome }
        }
        return outcomes
    }

    private func store(_ events: [NewEvent], groupID: Int32, _ connection: Connection) throws -> [EventOutcome] {
        guard let dataset = try EventQueries.interactionsDataset(groupID, connection) else {
            return events.map { _ in .rejected(reason: "The dataset group has no Interactions dataset.") }
        }
        let now = now()
        let keys = events.map(\.deduplicationKey)
        var fresh = try EventQueries.insertKeys(keys, groupID: groupID, at: now, connection)
        var outcomes: [EventOutcome] = []
        var accepted: [(event: NewEvent, key: UUID)] = []
        for (event, key) in zip(events, keys) {
            let isFresh = fresh.remove(key) != nil  // the second of one batch is a duplicate too
            outcomes.append(isFresh ? .accepted : .duplicate)
            if isFresh { accepted.append((event, key)) }
        }
        guard !accepted.isEmpty else { return outcomes }
        let stored = try resolve(accepted, groupID: groupID, connection)
        try EventQueries.insertInteractions(stored, dataset: dataset, part: InteractionPart.month(of: now), connection)
        try updateHistories(stored, groupID: groupID, connection)
        let fromTracker = stored.filter { $0.event.source == .tracker }
        if !fromTracker.isEmpty { try EventQueries.insertRaw(fromTracker, groupID: groupID, at: now, connection) }
        return outcomes
    }

    private func resolve(_ events: [(event: NewEvent, key: UUID)], groupID: Int32, _ connection: Connection) throws -> [StoredEvent] {
        let ids = try EventQueries.intern(
            users: events.map(\.event.userID) + events.map(\.event.visitorID), items: events.compactMap(\.event.itemID),
            eventTypes: events.map(\.event.eventType), groupID: groupID, connection)
        let key = sealer.derivedKey("recommendation-id")
        var items = ids.items.makeIterator()
        return events.indices.map { index in
            let event = events[index].event
            return StoredEvent(
                event: event, key: events[index].key, userID: ids.users[index], visitorID: ids.users[events.count + index],
                itemID: event.itemID == nil ? nil : items.next(), eventType: ids.eventTypes[index],
                recommendation: event.recommendationID.flatMap { RecommendationID(verifying: $0, key: key)?.key })
        }
    }

    /// The known user's and the visitor's own history both learn of an event: a visitor is answered by what the visitor did, without
    /// anybody's signature.
    private func updateHistories(_ events: [StoredEvent], groupID: Int32, _ connection: Connection) throws {
        var additions: [Int32: [RecentEvent]] = [:]
        for stored in events {
            guard let item = stored.itemID else { continue }
            let seconds = UInt32(clamping: stored.event.occurredAt.microseconds / 1_000_000)
            let recent = RecentEvent(item: item, seconds: seconds, eventType: UInt8(truncatingIfNeeded: stored.eventType))
            for user in Set([stored.userID, stored.visitorID]) { additions[user, default: []].append(recent) }
        }
        guard !additions.isEmpty else { return }
        let old = try EventQueries.lockHistories(additions.keys.sorted(), groupID: groupID, connection)
        let merged = additions.map { user, new in
            (user: user, entries: PackedHistory.pack(PackedHistory.merging(old[user] ?? [], with: new)))
        }
        try EventQueries.writeHistories(merged, groupID: groupID, connection)
    }

    /// Makes the partition that events received now go to. Outside the event transaction: it takes a lock that writers wait for.
    func prepareInteractionPart(datasetGroupID: Int32) throws(OperationError) {
        try change { connection in
            guard let dataset = try EventQueries.interactionsDataset(datasetGroupID, connection) else { return }
            try EventQueries.addPart(dataset: dataset, part: InteractionPart.month(of: now()), connection)
        }
    }
}

/// The second level of the interactions' partitions.
enum InteractionPart {
    /// Streamed rows go by month of receipt (UTC): −yyyymm.
    static func month(of time: PGTimestamp) -> Int32 {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.year, .month], from: Date(timeIntervalSince1970: Double(time.microseconds) / 1_000_000))
        return -Int32((parts.year ?? 1970) * 100 + (parts.month ?? 1))
    }
}

extension NewEvent {
    /// Sixteen bytes that name the event: the client's id, or what it says where the client gave none.
    var deduplicationKey: UUID {
        let parts =
            if let clientID {
                ["id", source.rawValue, clientID]
            } else {
                ["event", source.rawValue, userID, itemID ?? "", eventType, String(occurredAt.microseconds), value.map { "\($0)" } ?? ""]
            }
        let hash = SHA256.hash(parts.flatMap { Array($0.utf8) + [0] })
        return hash.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}
