import FilterLanguage
import JSON
import Locks
import Postgres
import Ranking

/// All actions of a dataset group at one revision, immutable and shared between threads. Row == action id. They are few, so that a change
/// loads all of them.
final class ActionCatalogue: Sendable {
    let revision: Int64
    let schema: CatalogueSchema
    let keys: ItemKeys
    let columns: ItemColumns
    /// Those with a record; others are named by responses alone and are never proposed.
    let actions: [ActionData.Action]
    private let filters = Lock<[Int32: PreparedFilter]>([:])
    private let shelves = Lock<[Int32: ActionShelf]>([:])

    private init(revision: Int64, schema: CatalogueSchema, keys: ItemKeys, columns: ItemColumns, actions: [ActionData.Action]) {
        (self.revision, self.schema, self.keys, self.columns, self.actions) = (revision, schema, keys, columns, actions)
    }

    /// Call inside a repeatable-read transaction, so that rows and revision belong together.
    static func load(_ groupID: Int32, schema: CatalogueSchema, revision: Int64, _ connection: Connection) throws -> ActionCatalogue {
        var keys = ItemKeys()
        var builder = ItemColumnsBuilder(schema.definitions)
        var actions: [ActionData.Action] = []
        var count: Int32 = 0
        try ActionQueries.all(groupID, connection) { row in
            while count < row.id {
                builder.append([])
                count += 1
            }
            keys.append(id: row.id, row.externalID)
            builder.append(row.attributes.map { schema.values($0, createdAt: row.createdAt) } ?? [])
            count += 1
            if let attributes = row.attributes {
                actions.append(ActionData.Action(id: row.id, createdAt: row.createdAt, attributes: attributes))
            }
        }
        return ActionCatalogue(revision: revision, schema: schema, keys: keys, columns: builder.build(), actions: actions)
    }

    /// The filter with what depends on the actions alone evaluated once.
    func prepared(_ filter: CheckedFilter, id: Int32) -> PreparedFilter {
        if let known = filters.withLock({ $0[id] }) { return known }
        let prepared = filter.prepared(for: columns)
        filters.withLock { $0[id] = prepared }
        return prepared
    }

    /// The actions beside what a version's model knows of them.
    func shelf(_ served: ServedActions) -> ActionShelf {
        if let known = shelves.withLock({ $0[served.versionID] }) { return known }
        let shelf = ActionShelf(actions, served.model)
        shelves.withLock { shelves in
            // Versions that serve in one group; more would be forgotten ones.
            if shelves.count >= 64 { shelves.removeAll() }
            shelves[served.versionID] = shelf
        }
        return shelf
    }
}

/// The actions that a process knows of one group.
final class ActionCache: Sendable {
    private let current = Lock<ActionCatalogue?>(nil)
    /// Held while loading: others wait for the same news instead of loading it twice.
    private let loading = Lock<Void>(())

    /// - Parameter revision: at least this one; nil while the database does not answer: then what is known.
    func catalogue(
        _ groupID: Int32, schema: CatalogueSchema, atLeast revision: Int64?, _ environment: Environment
    ) throws -> ActionCatalogue {
        func known() -> ActionCatalogue? {
            current.withLock { known in
                guard let known, revision == nil || (known.revision >= revision ?? 0 && known.schema == schema) else { return nil }
                return known
            }
        }
        if let catalogue = known() { return catalogue }
        return try loading.withLock { _ in
            if let catalogue = known() { return catalogue }
            let catalogue = try environment.database.withConnection { connection in
                try connection.transaction(.repeatableRead, readOnly: true) { (connection) throws -> ActionCatalogue in
                    let revision = try CatalogueQueries.revision(groupID, connection)?.actions ?? 0
                    return try ActionCatalogue.load(groupID, schema: schema, revision: revision, connection)
                }
            }
            current.withLock { $0 = catalogue }
            return catalogue
        }
    }
}

extension ActionData.Action {
    /// Of a record as it is stored. The guide calls one column by two names.
    init(id: Int32, createdAt: Int64?, attributes: JSONValue) {
        let expires = attributes["EXPIRATION_TIMESTAMP"]?.intValue ?? attributes["ACTION_EXPIRATION_TIMESTAMP"]?.intValue
        self.init(
            id: id, value: attributes["VALUE"]?.intValue.map { Int($0) } ?? 1, expiresAt: expires,
            repeatDays: attributes["REPEAT_FREQUENCY"]?.intValue.map { Int($0) }, createdAt: createdAt)
    }
}

enum ActionQueries {
    struct ActionRow {
        let id: Int32
        let externalID: [UInt8]
        let createdAt: Int64?
        /// Nil for actions without a record.
        let attributes: JSONValue?
    }

    /// Every action, by ascending id.
    static func all(_ groupID: Int32, _ connection: Connection, _ body: (ActionRow) -> Void) throws {
        try connection.copyOut(
            """
            SELECT k.id, k.external_id, r.created_at, r.attributes::text
            FROM action_key k LEFT JOIN action_record r ON r.dataset_group_id = k.dataset_group_id AND r.action_id = k.id
            WHERE k.dataset_group_id = \(groupID) ORDER BY k.id
            """
        ) { (row: inout CopyReader) throws in
            let (id, name, createdAt) = (try row.int32(), try row.bytes(), try row.optionalInt64())
            body(
                ActionRow(
                    id: id, externalID: name, createdAt: createdAt,
                    attributes: try row.optionalBytes().flatMap { try? JSONValue(parsing: $0) }))
        }
    }
}
