import Postgres

extension Environment {
    /// What a dataset group's first page tells: how much there is, what fills each place, what runs and what failed.
    public func overview(datasetGroupID id: Int32, by caller: Caller) throws(OperationError) -> GroupOverview {
        try caller.require(datasetGroup: id, resource: "dataset-group/\(id)")
        return try read { connection in
            let since = now().adding(seconds: -7 * 86_400)
            let counts = try OverviewQueries.counts(id, since: since, now: now(), connection)
            return GroupOverview(
                items: counts.items, users: counts.users,
                interactions: try OverviewQueries.interactions(id, exactUpTo: 10_000, connection), actions: counts.actions,
                actionInteractions: try OverviewQueries.interactions(id, with: .actions, exactUpTo: 10_000, connection),
                lastEventAt: counts.lastEventAt, lastCountedAt: counts.lastCountedAt,
                places: try OverviewQueries.places(id, connection), hasTracker: counts.hasTracker,
                jobs: try OverviewQueries.liveJobs(id, connection),
                failedJobs: try OverviewQueries.failedJobs(id, since: since, connection),
                refusedEvents: counts.refused)
        }
    }
}
