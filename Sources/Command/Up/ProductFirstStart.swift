import Postgres
import Tastemaker

extension FirstStart {
    /// What this product does at a start.
    static let product = FirstStart(prepare: prepareProduct, populate: { _, _ in }, summary: { ["Console   \($0.publicURL)/console"] })

    /// Identity, admin and key pair of an installation that has none. What is secret is printed here and nowhere else.
    private static func prepareProduct(_ settings: LaunchSettings) throws -> [String] {
        let environment = try Environment.open(settings, connections: 2)
        defer { environment.database.close() }
        let caller = Caller(.command)
        guard try environment.listAccessKeys(by: caller).isEmpty else { return [] }
        let key = try environment.createAccessKey(name: "First start", by: caller)
        return ["Key id    \(key.key.id)", "Secret    \(key.secret)"]
    }
}
