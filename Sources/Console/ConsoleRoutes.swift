/// Every route of the console, feature by feature. Access stands beside each.
public enum ConsoleRoutes {
    public static let all: [ConsoleRoute] = [
<<<<<<< HEAD
        signIn, today, groups, uploads, imports, solutions, campaigns, filters, tracker, items, visitors, jobs, keys, accounts, audit, demo,
=======
        signIn, today, placements, promotions, experiments, metrics, groups, uploads, imports, solutions, campaigns, filters, tracker,
        items, visitors, jobs, keys, accounts, audit,
>>>>>>> marketing
    ].flatMap { $0 }
}
