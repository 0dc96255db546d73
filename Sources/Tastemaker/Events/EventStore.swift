import Crypto
import Foundation
import JSON
public import Postgres

extension Environment {
    /// Stores events in the given transaction: de-duplicates, appends the interactions, and brings the histories of their users up to date,
    /// so that the very next recommendation knows them. Outcomes are in the order of the events.
    public func storeEvents(_ events: [NewEvent], _ connection: Connection) throws -> [EventOutcome] {
        var outcomes = [EventOutcome](repeating: .duplicate, count: events.count)
        // Groups in key order, so that two writers lock alike.
        for (groupID, positions) in Dictionary(grouping: events.indices, by: { events[$0].datasetGroupID }).sorted(by: { $0.key < $1.key })
        {
            for kind in InteractionKind.allCases {
                let own = positions.filter { events[$0].source.interactionKind == kind }
                guard !own.isEmpty else { continue }
                let stored = try store(own.map { events[$0] }, kind, groupID: groupID, connection)
                for (position, outcome) in zip(own, stored) { outcomes[position] = outcome }
            }
        }
        return outcomes
    }

    private func store(
        _ events: [NewEvent], _ kind: InteractionKind, groupID: Int32, _ connection: Connection
    ) throws -> [EventOutcome] {
        let now = now()
        var outcomes = [EventOutcome](repeating: .duplicate, count: events.count)
        var raw: [RawEvent] = []
        var sound: [Int] = []
        for (position, event) in events.enumerated() {
            if case .refused(let reason) = event.kind {
                outcomes[position] = .rejected(reason: reason)
                raw.append(RawEvent(event: event, rejectedReason: reason))
            } else {
                sound.append(position)
            }
        }
        if !sound.isEmpty {
            let keys = sound.map { events[$0].deduplicationKey }
            var (dataset, unseen) = try EventQueries.insertKeys(keys, kind, groupID: groupID, at: now, connection)
            if let dataset {
                // The second of one batch is a duplicate too.
                let fresh = zip(sound, keys).filter { unseen.remove($0.1) != nil }
                for (position, _) in fresh { outcomes[position] = .accepted }
                let stored = try resolve(fresh.map { (event: events[$0.0], key: $0.1) }, kind, groupID: groupID, connection)
                raw += try write(stored, kind, dataset: dataset, groupID: groupID, at: now, connection)
            } else {
                for position in sound {
                    outcomes[position] = .rejected(reason: kind == .items ? EventDoor.closedReason : ActionDoor.closedReason)
                }
            }
        }
        if !raw.isEmpty { try EventQueries.insertRaw(raw, groupID: groupID, at: now, connection) }
        return outcomes
    }

    /// Writes what the events mean and returns what the console shows of them.
    private func write(
        _ stored: [StoredEvent], _ kind: InteractionKind, dataset: Int32, groupID: Int32, at now: PGTimestamp, _ connection: Connection
    ) throws -> [RawEvent] {
        let interactions = stored.filter { $0.event.kind == .interaction }
        if !interactions.isEmpty {
            try EventQueries.insertInteractions(
                interactions, dataset: dataset, part: InteractionPart.month(of: now), connection)
            try updateHistories(interactions, kind, groupID: groupID, connection)
        }
        let seen = stored.flatMap(\.seenItems)
        if !seen.isEmpty { try EventQueries.insertImpressions(seen, groupID: groupID, at: now, connection) }
        let joined = stored.filter(\.event.joinsVisitor)
        if !joined.isEmpty { try EventQueries.insertAliases(joined, groupID: groupID, at: now, connection) }
        let described = stored.filter { !$0.event.traits.isEmpty }
        if !described.isEmpty { try EventQueries.mergeTraits(described, groupID: groupID, connection) }
        return stored.filter { $0.event.raw != nil }.map { RawEvent(event: $0.event, visitorID: $0.visitorID, userID: $0.userID) }
    }

    private func resolve(
        _ events: [(event: NewEvent, key: UUID)], _ kind: InteractionKind, groupID: Int32, _ connection: Connection
    ) throws -> [StoredEvent] {
        guard !events.isEmpty else { return [] }
        let events = try namingBrowsers(in: events, groupID: groupID, connection)
        let ids = try EventQueries.intern(
            users: events.map(\.event.userID) + events.map(\.event.visitorID),
            items: events.flatMap { [$0.event.itemID].compactMap(\.self) + $0.event.impression },
            eventTypes: events.map(\.event.eventType), kind, groupID: groupID, connection)
        let key = sealer.derivedKey("recommendation-id")
        var items = ids.items.makeIterator()
        return events.indices.map { index in
            let event = events[index].event
            return StoredEvent(
                event: event, key: events[index].key, userID: ids.users[index], visitorID: ids.users[events.count + index],
                itemID: event.itemID == nil ? nil : items.next(), impression: event.impression.compactMap { _ in items.next() },
                eventType: ids.eventTypes[index],
                recommendation: event.recommendationID.flatMap { RecommendationID(verifying: $0, key: key)?.key })
        }
    }

    /// A server may send a browser's anonymous id as its session: then it is that browser's event.
    private func namingBrowsers(
        in events: [(event: NewEvent, key: UUID)], groupID: Int32, _ connection: Connection
    ) throws -> [(event: NewEvent, key: UUID)] {
        let sessions = events.filter { $0.event.source != .tracker }.map(\.event.visitorID)
        guard !sessions.isEmpty else { return events }
        let browsers = try EventQueries.anonymousSessions(sessions, groupID: groupID, connection)
        guard !browsers.isEmpty else { return events }
        return events.map { event, key in
            guard event.source != .tracker, browsers.contains(Array(event.visitorID.utf8)) else { return (event, key) }
            var named = event
            named.visitorID = AnonymousID.prefix + event.visitorID
            if event.userID.utf8.elementsEqual(event.visitorID.utf8) { named.userID = named.visitorID }
            return (named, key)
        }
    }

    /// In a browser the known user's and the visitor's own history both learn of an event: a visitor is answered by what the visitor
    /// did, without anybody's signature. A server names the user; its session ids may be anything, and are a user's id only without one.
    private func updateHistories(
        _ events: [StoredEvent], _ kind: InteractionKind, groupID: Int32, _ connection: Connection
    ) throws {
        var additions: [Int32: [RecentEvent]] = [:]
        for stored in events {
            guard let item = stored.itemID else { continue }
            let seconds = UInt32(clamping: stored.event.occurredAt.microseconds / 1_000_000)
            let recent = RecentEvent(item: item, seconds: seconds, eventType: UInt8(truncatingIfNeeded: stored.eventType))
            let isBrowser = stored.event.source == .tracker || AnonymousID.isAnonymous(stored.event.visitorID)
            let users: Set = isBrowser ? [stored.userID, stored.visitorID] : [stored.userID]
            for user in users { additions[user, default: []].append(recent) }
        }
        guard !additions.isEmpty else { return }
        let old = try EventQueries.lockHistories(additions.keys.sorted(), kind, groupID: groupID, connection)
        let merged = additions.map { user, new in
            (user: user, entries: PackedHistory.pack(PackedHistory.merging(old[user] ?? [], with: new, limit: kind.historyLimit)))
        }
        try EventQueries.writeHistories(merged, kind, groupID: groupID, connection)
    }

    /// Makes the partitions that events received now, and in the next days, go to. Outside the event transaction: it takes a lock that
    /// writers wait for.
    func prepareInteractionPart(datasetGroupID: Int32) throws(OperationError) {
        try change { connection in
            let soon = PGTimestamp(microseconds: now().microseconds + 7 * 86_400_000_000)
            for kind in InteractionKind.allCases {
                guard let dataset = try EventQueries.interactionsDataset(datasetGroupID, of: kind, connection) else { continue }
                for part in Set([InteractionPart.month(of: now()), InteractionPart.month(of: soon)]) {
                    try EventQueries.addPart(dataset: dataset, part: part, connection)
                }
            }
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

extension StoredEvent {
    /// The cards that the event says were seen.
    var seenItems: [SeenItem] {
        if case .impression(let position) = event.kind, let itemID {
            return [SeenItem(visitorID: visitorID, itemID: itemID, recommendation: recommendation, position: position)]
        }
        return impression.enumerated().map { position, item in
            SeenItem(visitorID: visitorID, itemID: item, recommendation: recommendation, position: Int16(clamping: position))
        }
    }
}

extension NewEvent {
    /// Sixteen bytes that name the event: the order's line, whichever door brought it; the client's id; or all that the event says, for
    /// two events of one moment with identical properties count once.
    var deduplicationKey: UUID {
        var parts: [String]
        if let orderID, let orderLine {
            parts = ["order", eventType, orderID, orderLine]
        } else if let clientID {
            parts = ["id", source.rawValue, clientID]
        } else {
            parts =
                [
                    "event", source.rawValue, userID, visitorID, itemID ?? "", eventType, String(occurredAt.microseconds),
                    value.map { "\($0)" } ?? "", recommendationID ?? "", JSONValue.object(properties).text,
                ] + impression
        }
        if let datasetID { parts.append(String(datasetID)) }
        let hash = SHA256.hash(parts.flatMap { Array($0.utf8) + [0] })
        return hash.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}
