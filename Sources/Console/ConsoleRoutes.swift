/// Every route of the console, feature by feature. Access stands beside each.
public enum ConsoleRoutes {
    public static let all: [ConsoleRoute] = [
        signIn, today, placements, promotions, experiments, metrics, groups, uploads, imports, solutions, campaigns, recommenders, filters,
        tracker,
        items, visitors, jobs, keys, accounts, audit, demo,
    ].flatMap { $0 }
}
