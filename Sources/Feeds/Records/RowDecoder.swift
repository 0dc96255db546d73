import JSON

/// One record of a dataset, every value checked. Fixed columns that the dataset lacks are empty or nil.
public struct DecodedRow: Sendable, Equatable {
    public let line: Int
    /// UTF-8, 1 to 256 scalars; empty for items and actions.
    public var userID: [UInt8] = []
    /// The item's or the action's id; empty for users.
    public var itemID: [UInt8] = []
    /// Epoch seconds of an interaction.
    public var timestamp: Int64?
    public var eventType: String?
    public var eventValue: Double?
    /// Ids separated by `|`, as written.
    public var impression: String?
    public var recommendationID: String?
    /// In the order of the decoder's `otherColumns`.
    public var others: [ColumnValue] = []
}

/// A file that cannot be read at all.
public struct FeedError: Error, Equatable, Sendable, CustomStringConvertible {
    /// nil when no line is to blame.
    public let line: Int?
    public let reason: String

    public init(line: Int? = nil, reason: String) {
        self.line = line
        self.reason = reason
    }

    public var description: String { line.map { "Line \($0): \(reason)" } ?? reason }
}

/// Where a column of a schema comes from, when the file's header says otherwise.
public struct ColumnSource: Sendable, Equatable {
    public var column: String
    /// A name of the file's header.
    public var header: String
    /// How moments are written there; nil for values that are taken as they are.
    public var dateFormat: EventDate.Format?

    public init(column: String, header: String, dateFormat: EventDate.Format? = nil) {
        self.column = column
        self.header = header
        self.dateFormat = dateFormat
    }
}

/// Turns rows of one header into records of one schema. Columns of the file that the schema lacks are not read.
public struct RowDecoder: Sendable {
    private enum Place {
        case user, item, timestamp, eventType, eventValue, impression, recommendation, other
    }

    private struct Slot {
        let column: SchemaColumn
        let place: Place
        let field: Int
        let dateFormat: EventDate.Format?
    }

    public let schema: AvroSchema
    /// The columns of `DecodedRow.others`: all without an accessor of their own.
    public let otherColumns: [SchemaColumn]
    private let slots: [Slot]

    /// Throws when the header does not cover the schema, or names a column twice.
    public init(header: [String], schema: AvroSchema, sources: [ColumnSource] = []) throws(FeedError) {
        self.schema = schema
        var slots: [Slot] = []
        var missing: [String] = []
        for column in schema.columns {
            let source = sources.first { $0.column == column.name }
            let wanted = source?.header ?? column.name
            let found = header.indices.filter { header[$0].utf8.elementsEqual(wanted.utf8) }
            if found.count > 1 { throw FeedError(line: 1, reason: "the column \(wanted) occurs twice") }
            guard let field = found.first else {
                missing.append(column.name)
                continue
            }
            slots.append(
                Slot(column: column, place: Self.place(of: column, in: schema.kind), field: field, dateFormat: source?.dateFormat))
        }
        guard missing.isEmpty else {
            throw FeedError(reason: "Input CSV is missing the following columns:[\(missing.joined(separator: ", "))]")
        }
        self.slots = slots
        otherColumns = slots.filter { $0.place == .other }.map(\.column)
    }

    private static func place(of column: SchemaColumn, in kind: DatasetKind) -> Place {
        guard column.isReserved else { return .other }
        switch column.name {
        case "USER_ID": return .user
        case "ITEM_ID", "ACTION_ID": return .item
        case "TIMESTAMP": return .timestamp
        case "EVENT_TYPE": return .eventType
        case "EVENT_VALUE": return .eventValue
        case "IMPRESSION": return .impression
        case "RECOMMENDATION_ID": return .recommendation
        default: return .other
        }
    }

    public func decode(_ row: borrowing CSVRow) throws(RowError) -> DecodedRow {
        var record = DecodedRow(line: row.line)
        if !otherColumns.isEmpty { record.others.reserveCapacity(otherColumns.count) }
        do throws(ValueError) {
            for slot in slots {
                try row.withField(slot.field) { (text) throws(ValueError) in try Self.fill(&record, slot, text) }
            }
            try checkEventType(record)
        } catch {
            throw RowError(line: row.line, reason: error.description)
        }
        return record
    }

    private static func fill(_ record: inout DecodedRow, _ slot: Slot, _ text: UnsafeBufferPointer<UInt8>) throws(ValueError) {
        switch slot.place {
        case .user: record.userID = try slot.column.identifier(text)
        case .item: record.itemID = try slot.column.identifier(text)
        case .timestamp: if case .long(let seconds) = try value(slot, text) { record.timestamp = seconds }
        case .eventType: record.eventType = try string(slot, text)
        case .eventValue: if case .double(let number) = try value(slot, text) { record.eventValue = number }
        case .impression: record.impression = try string(slot, text)
        case .recommendation: record.recommendationID = try string(slot, text)
        case .other: record.others.append(try value(slot, text))
        }
    }

    private static func string(_ slot: Slot, _ text: UnsafeBufferPointer<UInt8>) throws(ValueError) -> String? {
        if case .string(let value) = try slot.column.value(parsing: text) { value } else { nil }
    }

    private static func value(_ slot: Slot, _ text: UnsafeBufferPointer<UInt8>) throws(ValueError) -> ColumnValue {
        guard let format = slot.dateFormat, format != .epochSeconds, !text.isEmpty else {
            return try slot.column.value(parsing: text)
        }
        guard let date = EventDate(parsing: text, as: format) else {
            throw slot.column.refuse(
                "\"\(String(decoding: text.prefix(40), as: UTF8.self))\" is not a moment of the form \(format.rawValue)")
        }
        return try slot.column.value(of: .integer(date.seconds))
    }

    /// Actions know three types of event, in any case and with a blank or an underscore.
    private func checkEventType(_ record: DecodedRow) throws(ValueError) {
        guard schema.kind == .actionInteractions, let type = record.eventType else { return }
        let folded = type.lowercased().replacing("_", with: " ")
        guard ["taken", "not taken", "viewed"].contains(folded) else {
            throw ValueError(column: "EVENT_TYPE", reason: "\"\(type.prefix(40))\" is not one of Taken, Not Taken, Viewed")
        }
    }
}
