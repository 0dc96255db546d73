import Feeds
import FilterLanguage
import JSON
import Postgres

/// Which users the filter of a batch segment job admits: all users of the group at once, a row for each interned id. A line brings the
/// values of its placeholders as batch inference does, in `filterValues`.
struct SegmentFilter {
    private let prepared: PreparedFilter
    /// By event type, the users who ever had such an event; empty for a filter that does not ask.
    private var usersOfType: [(name: String, users: RowBitmap)] = []

    /// - Parameter userCount: one more than the highest id.
    init(_ expression: String, groupID: Int32, userCount: Int, schemas: [DatasetType: AvroSchema], _ connection: Connection) throws {
        let filter = try Self.checked(expression, schemas)
        let columns = try Self.columns(CatalogueSchema(schemas[.users]), groupID: groupID, userCount: userCount, connection)
        prepared = filter.prepared(for: columns)
        guard filter.expression.usesInteractions, let dataset = try EventQueries.interactionsDataset(groupID, connection) else { return }
        let names = try TrainingQueries.eventTypes(groupID, connection)
        usersOfType = names.map { ($0, RowBitmap(count: userCount)) }
        _ = try connection.copyOut(BatchSegmentJobQueries.usersByEventType(dataset: dataset, groupID: groupID)) {
            (row: inout CopyReader) throws in
            let (type, user) = (Int(try row.int16()), Int(try row.int32()))
            if usersOfType.indices.contains(type), user < userCount { usersOfType[type].users[user] = true }
        }
    }

    /// The schemas may have changed since the filter was made.
    private static func checked(_ expression: String, _ schemas: [DatasetType: AvroSchema]) throws(JobFailure) -> CheckedFilter {
        do throws(FilterError) {
            return try FilterExpression(parsing: expression).checked(against: FilterSchema(schemas: schemas))
        } catch { throw JobFailure("The filter does not fit the datasets any more: \(error.description)") }
    }

    /// Users without a record have null in every column.
    private static func columns(
        _ schema: CatalogueSchema, groupID: Int32, userCount: Int, _ connection: Connection
    ) throws -> ItemColumns {
        var builder = ItemColumnsBuilder(schema.definitions)
        var next = 0
        _ = try connection.copyOut(TrainingQueries.userRecords(groupID: groupID)) { (row: inout CopyReader) throws in
            let user = Int(try row.int32())
            let record = try row.optionalBytes().flatMap { try? JSONValue(parsing: $0) } ?? .null
            guard user >= next, user < userCount else { return }
            while next < user {
                builder.append([])
                next += 1
            }
            builder.append(schema.values(record, createdAt: nil))
            next += 1
        }
        while next < userCount {
            builder.append([])
            next += 1
        }
        return builder.build()
    }

    /// Bit n admits the user of the id n.
    /// - Parameter values: the line's `filterValues`, a text for each placeholder.
    func admitted(_ values: JSONValue?) throws(SegmentInput.Refusal) -> RowBitmap {
        var entries: [String: String] = [:]
        for member in values?.objectValue?.members ?? [] {
            guard let text = member.value.stringValue else {
                throw SegmentInput.Refusal(sentence: "filterValues.\(member.name) is not a text.")
            }
            entries[member.name] = text
        }
        do throws(FilterError) {
            return try prepared.evaluate(values: try FilterValues(parsing: entries)) { selection in users(selection) }
        } catch { throw SegmentInput.Refusal(sentence: error.description) }
    }

    private func users(_ selection: EventTypeSelection) -> [Int32] {
        guard let count = usersOfType.first?.users.count else { return [] }
        var union = RowBitmap(count: count)
        for entry in usersOfType where selection.contains(entry.name) { union.or(entry.users) }
        var users: [Int32] = []
        union.forEach { users.append(Int32($0)) }
        return users
    }
}

extension SegmentInput {
    /// Gives every line the users whom the filter admits for it, or refuses it. Lines with the same values share one set.
    mutating func apply(_ filter: SegmentFilter, known: inout [[UInt8]: RowBitmap]) {
        for index in lines.indices {
            guard case .success = lines[index].question else { continue }
            let values = lines[index].given["filterValues"]
            let key = values?.serialized() ?? []
            do throws(Refusal) {
                if known[key] == nil { known[key] = try filter.admitted(values) }
                lines[index].admitted = known[key]
            } catch { lines[index].question = .failure(error) }
        }
    }
}
