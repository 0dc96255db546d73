import Postgres
import Locks

/// Popular items of a group, counted from its interactions now and then. Only groups without a model need them.
final class PopularityCache: Sendable {
    private struct State {
        var items: PopularItems?
        var loadedAt = Int64.min
        var isLoading = false
    }

    private static let lifetime: Int64 = 5_000_000
    private let state = Lock(State())

    /// At most a few seconds old, or older while the database is away. One thread counts, the others take what there is.
    func items(_ group: GroupSnapshot, _ environment: Environment) throws -> PopularItems {
        let now = environment.now().microseconds
        let known = state.withLock { state -> PopularItems? in
            if let items = state.items, state.isLoading || abs(now - state.loadedAt) < PopularityCache.lifetime { return items }
            state.isLoading = true
            return nil
        }
        if let known { return known }
        do {
            let loaded = try group.interactionsDataset.map { dataset in
                try environment.database.withConnection { try PopularityQueries.load(dataset: dataset, $0) }
            }
            state.withLock { $0 = State(items: loaded ?? PopularItems.none, loadedAt: now) }
            return loaded ?? PopularItems.none
        } catch {
            let stale = state.withLock { state in
                state.isLoading = false
                return state.items
            }
            guard let stale else { throw error }
            return stale
        }
    }
}
