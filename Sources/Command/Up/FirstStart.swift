/// What the product does around the start of an installation. `up` knows when, the core knows what.
struct FirstStart: Sendable {
    /// Creates what an empty installation needs before anything serves (account id, admin, key pair) and nothing on later
    /// starts. The database has every migration by then. The lines to print once, secrets included, come back.
    var prepare: @Sendable (LaunchSettings) throws -> [String]
    /// The subcommand that fills a first start with the demo shop while everything runs; its standard output is shown to the person
    /// who waits. Started again after an interruption. Empty: nothing to fill.
    var populate: [String]
    /// The lines of the closing summary of every start: addresses, snippet, example.
    var summary: @Sendable (LaunchSettings) throws -> [String]

    /// An installation without a product in it.
    static let empty = FirstStart(
        prepare: { _ in [] }, populate: [],
        summary: { ["Console   \($0.publicURL)/console"] })
}
