/// How a browser's own id is kept among the user ids of a group.
///
/// Browsers choose it, so it must not reach a named user: kept under a prefix, an anonymous id never equals an id that the site gave,
/// and asking for the history of one can never read the other's.
public enum AnonymousID {
    public static let prefix = "anonymous:"
    /// Unicode scalars of the id as the browser sends it.
    public static let limit = 100

    /// The external id under which the visitor is interned, for events, histories and experiments alike.
    public static func externalID(_ id: String) throws(OperationError) -> String {
        try Check.length(id, 1...limit, field: "anonymousId")
        return prefix + id
    }

    /// Whether a text that claims to be a user's id would name a visitor.
    public static func isAnonymous(_ externalID: String) -> Bool {
        externalID.utf8.starts(with: prefix.utf8)
    }
}
