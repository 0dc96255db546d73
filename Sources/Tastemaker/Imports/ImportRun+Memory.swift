import Feeds
import Postgres
import Ranking

// Interactions that fit into memory: numbered, sorted and packed there, so that the database only stores them.
extension ImportRun {
    private struct MemoryFull: Error {}

    /// Nil when the rows are too many: then nothing of them is kept.
    func stageInMemory(_ source: ImportSource, _ schema: AvroSchema) throws -> (ImportReport, StagedInteractions)? {
        let limit = environment.settings.importMemoryBytes
        // A row takes about as much in memory as in the file.
        guard source.size <= limit * 2 else { return nil }
        var report = ImportReport()
        var rows = StagedInteractions(limit: limit)
        do {
            try source.read(schema: schema, context: context) { (record: StagedRecord) throws in
                guard rows.append(record) else { throw MemoryFull() }
                report.accepted += 1
            } rejected: { (error: RowError) throws in
                report.reject(error)
            }
        } catch is MemoryFull {
            return nil
        }
        return (report, rows)
    }

    func number(_ rows: StagedInteractions) throws -> StagedInteractions.Numbers {
        StagedInteractions.Numbers(
            users: try numbers(of: rows.users, .user), items: try numbers(of: rows.items, kind == .items ? .item : .action),
            eventTypes: try eventTypes(rows.eventTypes))
    }

    private func eventTypes(_ table: IDTable) throws -> [Int16] {
        switch kind {
        case .items: return try numbers(of: table, .eventType).map { Int16(truncatingIfNeeded: $0) }
        case .actions:
            return (0..<Int32(table.count)).map { row in
                // The decoder lets no other type pass.
                Int16((ActionData.Response(reading: String(decoding: table.bytes(of: row), as: UTF8.self)) ?? .viewed).rawValue)
            }
        }
    }

    /// In short transactions: each locks the group's counters until it ends.
    private func numbers(of table: IDTable, _ kind: ImportStaging.IDKind) throws -> [Int32] {
        var numbers: [Int32] = []
        numbers.reserveCapacity(table.count)
        while numbers.count < table.count {
            try context.checkInterruption()
            let texts = (numbers.count..<min(numbers.count + 10_000, table.count)).map { Array(table.bytes(of: Int32($0))) }
            let found = try environment.transact { connection in try ImportQueries.intern(texts, kind, groupID: groupID, connection) }
            guard found.count == texts.count else { throw IDsLost() }
            numbers += found
        }
        return numbers
    }

    /// Answers how many rows are stored.
    func store(_ rows: StagedInteractions, _ numbers: StagedInteractions.Numbers, _ connection: Connection) throws -> Int {
        let order = timed("sort") { rows.distinct(numbers) }
        try timed("copy") { try copy(rows, order, numbers, connection) }
        var stored = order.count
        if job.importMode == .incremental {
            stored -= try timed("compare") {
                try ImportQueries.deleteStored(importID: job.id, dataset: job.dataset.id, connection)
            }
        }
        try replaceOthers(connection)
        try timed("histories") { try updateHistories(rows, order, numbers, connection) }
        return stored
    }

    private func copy(
        _ rows: StagedInteractions, _ order: [UInt32], _ numbers: StagedInteractions.Numbers, _ connection: Connection
    ) throws {
        try connection.copyIn(ImportQueries.copyTarget(dataset: job.dataset.id, part: job.id)) { (writer: inout CopyWriter) throws in
            for (count, position) in order.enumerated() {
                if count % 65_536 == 0 { try context.checkInterruption() }
                let row = rows.rows[Int(position)]
                try writer.startRow(columns: 9)
                writer.int32(job.dataset.id)
                writer.int32(job.id)
                writer.int32(numbers.users[Int(row.user)])
                writer.int32(numbers.items[Int(row.item)])
                writer.int16(numbers.eventTypes[Int(row.eventType)])
                if row.hasValue { writer.float(row.value) } else { writer.null() }
                writer.timestamp(PGTimestamp(seconds: Int(row.seconds)))
                writer.int64(Int64(row.line))
                if let attributes = rows.attributes(of: row) { writer.jsonb(attributes) } else { writer.null() }
            }
        }
    }

    private func updateHistories(
        _ rows: StagedInteractions, _ order: [UInt32], _ numbers: StagedInteractions.Numbers, _ connection: Connection
    ) throws {
        let dataset = job.dataset.id
        try HistoryQueries.lockCounters(groupID, connection)
        // Whoever was erased after the ids were numbered stays erased.
        let erased = try ImportQueries.erased(among: numbers.users, groupID: groupID, connection)
        if !erased.isEmpty { _ = try UserQueries.deleteInteractions(erased, dataset: dataset, connection) }
        let gone = Set(erased)
        // Of users without a history nothing else is stored: every event makes one.
        var fresh = HistoryBatch(kind)
        try rows.forEachUser(order, numbers) { user, events in
            guard !events.isEmpty, !gone.contains(user) else { return }
            fresh.append(user, events)
            if fresh.isFull { try HistoryQueries.insertMissing(&fresh, groupID: groupID, connection) }
        }
        try HistoryQueries.insertMissing(&fresh, groupID: groupID, connection)
        let others = try HistoryQueries.lockOthers(kind, groupID, connection)
        guard !others.isEmpty else { return }
        var update = HistoryUpdate(kind, users: others, groupID: groupID)
        if try ImportQueries.hasOtherParts(dataset: dataset, than: job.id, connection) {
            try HistoryQueries.forEachUser(kind, dataset: dataset, groupID: groupID, connection) { user, events in
                try update.set(user, events, connection)
            }
        } else {
            try rows.forEachUser(order, numbers) { user, events in
                if !gone.contains(user) { try update.set(user, events, connection) }
            }
        }
        try update.finish(connection)
    }
}

/// Fewer numbers came back than texts were asked for. The next attempt starts over.
struct IDsLost: Error, CustomStringConvertible {
    var description: String { "Ids were erased while the import numbered them." }
}
