import Console
import Postgres
import Tastemaker

extension FirstStart {
    /// What this product does at a start.
    static let product = FirstStart(prepare: prepareProduct, populate: ["demo", "load", "--afresh"], summary: productSummary)

    /// Admin and key pair of an installation that has none. What is secret is printed here and nowhere else.
    private static func prepareProduct(_ settings: LaunchSettings) throws -> [String] {
        let environment = try Environment.open(settings, connections: 2)
        defer { environment.database.close() }
        let caller = Caller(.command)
        guard try environment.listAccounts(by: caller).isEmpty else { return [] }
        let admin = try environment.createAccount(login: "admin", role: .admin, by: caller)
        let key = try environment.createAccessKey(name: "First start", by: caller)
        return [
            "",
            "Shown once. The password is good for 24 hours at most, and asks for one of your own, which ends it.",
            "Login     admin",
            "Password  \(admin.secret)",
            "Key id    \(key.key.id)",
            "Secret    \(key.secret)",
        ]
    }

    private static func productSummary(_ settings: LaunchSettings) throws -> [String] {
        let environment = try Environment.open(settings, connections: 2)
        defer { environment.database.close() }
        let group = try environment.demoGroup()
        let demo = group == nil ? [] : ["Demo shop \(settings.publicURL)/demo"]
        return [
            "",
            "Console   \(settings.publicURL)/console",
        ] + demo + [
            "Snippet   \(try snippet(group, environment, settings))",
            "Endpoint  \(settings.publicURL)",
            "",
            "    import boto3  # with the key pair in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            "    personalize = boto3.client(\"personalize\", endpoint_url=\"\(settings.publicURL)\", region_name=\"\(environment.installation.region)\")",
            "    print(personalize.list_dataset_groups()[\"datasetGroups\"])",
            "",
        ]
    }

    /// The demo shop's tracker; another group's stands on its page in the console.
    private static func snippet(_ group: DatasetGroup?, _ environment: Environment, _ settings: LaunchSettings) throws -> String {
        guard let group, let tracker = try environment.eventTracker(ofGroup: group.id, by: Caller(.command)) else {
            return "on the tracker page of a dataset group in the console"
        }
        return TrackerSnippet.external(trackingID: "\(tracker.trackingID)", endpoint: settings.publicURL)
    }
}
