import Logging
import Postgres
import Locks

/// The snapshots of one group that a process holds.
final class GroupEntry: Sendable {
    struct State: Sendable {
        var group: GroupSnapshot
        var catalogue: CatalogueSnapshot
        /// Up to which the catalogue is known; a change of users moves it alone.
        var catalogueRevision: Int64
    }

    let id: Int32
    private let current = Lock<State?>(nil)
    /// Held while loading: others wait for the same news instead of loading it twice.
    private let loading = Lock<Void>(())
    let popularity = PopularityCache()
    let trends = TrendCache()
    let newItems = NewItemCache()
    let actions = ActionCache()

    init(id: Int32) {
        self.id = id
    }

    var state: State? { current.withLock { $0 } }

    /// The state, caught up with a revision. Nil for a group that is gone.
    /// - Parameter reloads: also when the numbers say that nothing is new (a broken model, new event types).
    func state(
        atLeast revision: GroupRevision?, itemCount: Int32 = 0, reloads: Bool = false, _ loader: GroupLoader
    ) throws -> State? {
        if !reloads, let state, isFresh(state, revision, itemCount) { return state }
        return try loading.withLock { _ in
            let known = state
            if !reloads, let known, isFresh(known, revision, itemCount) { return known }
            let needsResources = reloads || known == nil || revision.map { $0.resources > (known?.group.revision ?? -1) } ?? true
            guard let group = needsResources ? try loader.resources(id, previous: known?.group) : known?.group else {
                current.withLock { $0 = nil }
                return nil
            }
            guard
                let catalogue = try loader.catalogue(id, schema: group.schema, previous: known.map { ($0.catalogue, $0.catalogueRevision) })
            else { return nil }
            let state = State(group: group, catalogue: catalogue.snapshot, catalogueRevision: catalogue.revision)
            current.withLock { $0 = state }
            return state
        }
    }

    private func isFresh(_ state: State, _ revision: GroupRevision?, _ itemCount: Int32) -> Bool {
        guard let revision else { return true }
        return state.group.revision >= revision.resources && state.catalogueRevision >= revision.catalogue
            && state.catalogue.rowCount >= Int(itemCount)
    }
}

/// Every group that this process serves.
final class GroupCache: Sendable {
    private struct Groups {
        var entries: [Int32: GroupEntry] = [:]
        var ofCampaign: [String: Int32] = [:]
    }

    let loader: GroupLoader
    private let groups = Lock(Groups())

    init(_ environment: Environment) {
        loader = GroupLoader(environment: environment, models: ModelStore(environment: environment))
    }

    func entry(_ id: Int32) -> GroupEntry {
        groups.withLock { groups in
            if let known = groups.entries[id] { return known }
            let entry = GroupEntry(id: id)
            groups.entries[id] = entry
            return entry
        }
    }

    var loaded: [GroupEntry] { groups.withLock { $0.entries.values.filter { $0.state != nil } } }

    /// The group of a campaign that was asked for before.
    func knownGroup(ofCampaign name: String) -> Int32? { groups.withLock { $0.ofCampaign[name] } }

    /// The group of a campaign; asks the database once. `afresh` asks again: the name may have moved to another group.
    func group(ofCampaign name: String, afresh: Bool = false) throws -> Int32? {
        if !afresh, let known = groups.withLock({ $0.ofCampaign[name] }) { return known }
        let found = try loader.environment.database.withConnection { try GroupSnapshotQueries.groupOfCampaign(name, $0) }
        groups.withLock { groups in
            if groups.ofCampaign.count > 10_000 { groups.ofCampaign.removeAll() }
            groups.ofCampaign[name] = found
        }
        return found
    }
}
