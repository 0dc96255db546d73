import Feeds
import JSON
import Postgres
import Ranking

/// The unlogged table of one attempt at an import.
struct ImportStaging {
    let number: Int32

    /// `attempt` is counted modulo 16: twins are never that far apart.
    init(importID: Int32, attempt: Int) {
        number = importID &* 16 &+ Int32(attempt % 16)
    }

    private var table: SQL { "\(identifier: "staging_\(number)")" }

    var copyTarget: SQL {
        "\(part: table) (line, user_id, item_id, event_type, value, occurred_at, created_at, attributes)"
    }

    var source: SQL { table }

    func make(_ connection: Connection) throws { try connection.execute("SELECT make_staging(\(number))") }

    func drop(_ connection: Connection) throws { try connection.execute("SELECT drop_staging(\(number))") }

    func count(_ connection: Connection) throws -> Int64 {
        try connection.query("SELECT count(*) FROM \(part: table)").first?.int64(0) ?? 0
    }

    /// The texts that are given numbers.
    enum IDKind: CaseIterable {
        case user, item, action, eventType

        func isUsed(by type: DatasetType) -> Bool {
            switch self {
            case .user: type != .items && type != .actions
            case .item: type == .items || type == .interactions
            case .action: type == .actions || type == .actionInteractions
            case .eventType: type == .interactions
            }
        }
    }

    func unknown(_ kind: IDKind, groupID: Int32) -> SQL {
        switch kind {
        case .user:
            """
            SELECT DISTINCT s.user_id FROM \(part: table) s WHERE NOT EXISTS (
                SELECT FROM user_key k WHERE k.dataset_group_id = \(groupID) AND k.external_id = s.user_id)
            """
        case .item:
            """
            SELECT DISTINCT s.item_id FROM \(part: table) s WHERE NOT EXISTS (
                SELECT FROM item_key k WHERE k.dataset_group_id = \(groupID) AND k.external_id = s.item_id)
            """
        case .action:
            """
            SELECT DISTINCT s.item_id FROM \(part: table) s WHERE NOT EXISTS (
                SELECT FROM action_key k WHERE k.dataset_group_id = \(groupID) AND k.external_id = s.item_id)
            """
        case .eventType:
            """
            SELECT DISTINCT s.event_type FROM \(part: table) s WHERE NOT EXISTS (
                SELECT FROM event_type k WHERE k.dataset_group_id = \(groupID) AND lower(k.name) = lower(s.event_type))
            """
        }
    }
}

/// A checked row on its way to staging.
struct StagedRecord {
    /// What rows without a type of event count as.
    static let untyped = "interaction"

    var line: Int64
    var user: [UInt8]?
    var item: [UInt8]?
    var eventType: String?
    var value: Float?
    var seconds: Int64?
    var createdAt: Int64?
    /// A JSON object; nil for none.
    var attributes: [UInt8]?

    func write(to writer: inout CopyWriter) throws {
        try writer.startRow(columns: 8)
        writer.int64(line)
        if let user { writer.text(bytes: user) } else { writer.null() }
        if let item { writer.text(bytes: item) } else { writer.null() }
        if let eventType { writer.text(eventType) } else { writer.null() }
        if let value { writer.float(value) } else { writer.null() }
        if let seconds { writer.timestamp(PGTimestamp(seconds: Int(seconds))) } else { writer.null() }
        if let createdAt { writer.int64(createdAt) } else { writer.null() }
        if let attributes { writer.jsonb(attributes) } else { writer.null() }
    }
}

extension StagedRecord {
    /// `columns` name the row's other values, in their order.
    init(_ row: DecodedRow, kind: DatasetKind, columns: [SchemaColumn], line: Int64) throws {
        self.line = line
        user = row.userID.isEmpty ? nil : row.userID
        item = row.itemID.isEmpty ? nil : row.itemID
        seconds = row.timestamp
        value = row.eventValue.map { Float($0) }
        switch kind {
        case .interactions: eventType = row.eventType.flatMap { $0.isEmpty ? nil : $0 } ?? Self.untyped
        case .actionInteractions: eventType = row.eventType.flatMap(ActionData.Response.init(reading:))?.name
        case .items, .users, .actions: break
        }
        var values: [(String, ColumnValue)] = zip(columns, row.others).map { ($0.name, $1) }
        if let impression = row.impression { values.append(("IMPRESSION", .string(impression))) }
        if let recommendation = row.recommendationID { values.append(("RECOMMENDATION_ID", .string(recommendation))) }
        try setAttributes(values, isRecord: kind != .interactions && kind != .actionInteractions)
    }

    init(_ item: FeedItem, columns: Set<String>, line: Int64) throws {
        self.line = line
        self.item = item.id
        try setAttributes(item.values.filter { columns.contains($0.key) }.sorted { $0.key < $1.key }, isRecord: true)
    }

    /// jsonb cannot hold U+0000, and neither can a text column.
    private mutating func setAttributes(_ values: [(String, ColumnValue)], isRecord: Bool) throws {
        if user?.contains(0) == true || item?.contains(0) == true || eventType?.utf8.contains(0) == true {
            throw RowError(line: Int(line), reason: "an id or a type of event holds U+0000")
        }
        var writer = JSONWriter()
        var isEmpty = true
        writer.beginObject()
        for (name, value) in values {
            switch value {
            case .null: continue
            case .string(let text):
                if text.utf8.contains(0) { throw RowError(line: Int(line), reason: "\(name): the text holds U+0000") }
                writer.key(name)
                writer.string(text)
            case .long(let number):
                if name == "CREATION_TIMESTAMP" { createdAt = number }
                writer.key(name)
                writer.integer(number)
            case .double(let number):
                writer.key(name)
                // Minus zero is zero to the database, so it must not differ here either.
                writer.double(number + 0)
            case .boolean(let flag):
                writer.key(name)
                writer.bool(flag)
            }
            isEmpty = false
        }
        writer.endObject()
        if isRecord || !isEmpty { attributes = writer.bytes }
    }
}
