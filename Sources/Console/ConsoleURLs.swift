public import Tastemaker
public import Web

/// The addresses of the console's pages: one function each, beside the routes' patterns. Others add theirs in their own files.
extension URLValue {
    public static var home: URLValue { URLValue(path: ["console"]) }
    public static var password: URLValue { URLValue(path: ["console", "password"]) }
    public static var signOut: URLValue { URLValue(path: ["console", "sign-out"]) }
    public static var groups: URLValue { URLValue(path: ["console", "groups"]) }
    public static var newGroup: URLValue { URLValue(path: ["console", "new-group"]) }
    public static var schemas: URLValue { URLValue(path: ["console", "schemas"]) }
    public static var keys: URLValue { URLValue(path: ["console", "keys"]) }
    public static var accounts: URLValue { URLValue(path: ["console", "accounts"]) }
    public static var audit: URLValue { URLValue(path: ["console", "audit"]) }
    public static var demo: URLValue { URLValue(path: ["demo"]) }

    /// `next`: the page that was asked for.
    public static func signIn(next: String? = nil) -> URLValue {
        URLValue(path: ["console", "sign-in"], query: next.map { [("next", $0)] } ?? [])
    }

    /// The link that `account add` and `account reset` print.
    public static func oneTime(_ secret: String) -> URLValue { URLValue(path: ["console", "one-time"], query: [("secret", secret)]) }

    /// A page of a dataset group, below its Today.
    public static func page(_ group: DatasetGroup, _ segments: String..., query: [(String, String)] = []) -> URLValue {
        URLValue(path: ["console", "groups", group.name] + segments, query: query)
    }

    public static func today(_ group: DatasetGroup) -> URLValue { page(group) }
    public static func data(_ group: DatasetGroup) -> URLValue { page(group, "data") }
    public static func upload(_ group: DatasetGroup) -> URLValue { page(group, "upload") }
    public static func items(_ group: DatasetGroup) -> URLValue { page(group, "items") }
    public static func solutions(_ group: DatasetGroup) -> URLValue { page(group, "solutions") }
    public static func solution(_ name: String, _ group: DatasetGroup) -> URLValue { page(group, "solutions", name) }
    public static func campaigns(_ group: DatasetGroup) -> URLValue { page(group, "campaigns") }
    public static func campaign(_ name: String, _ group: DatasetGroup) -> URLValue { page(group, "campaigns", name) }
    public static func filters(_ group: DatasetGroup) -> URLValue { page(group, "filters") }
    public static func tracker(_ group: DatasetGroup) -> URLValue { page(group, "tracker") }
    public static func visitors(_ group: DatasetGroup) -> URLValue { page(group, "visitors") }
    public static func jobs(_ group: DatasetGroup) -> URLValue { page(group, "jobs") }
    public static func importJob(_ name: String, _ group: DatasetGroup) -> URLValue { page(group, "imports", name) }
    public static func placements(_ group: DatasetGroup) -> URLValue { page(group, "placements") }
    public static func metrics(_ group: DatasetGroup) -> URLValue { page(group, "metrics") }
}
