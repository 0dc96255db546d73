/// What the product does around the start of an installation. `up` knows when, the core knows what.
struct FirstStart: Sendable {
    /// Creates what an empty installation needs before anything serves (account id, admin, key pair) and nothing on later
    /// starts. The database has every migration by then. The lines to print once, secrets included, come back.
    var prepare: @Sendable (LaunchSettings) throws -> [String]
    /// Fills a first start with the demo shop while everything runs; `say` shows progress to the person who waits.
    var populate: @Sendable (LaunchSettings, _ say: (String) -> Void) throws -> Void
    /// The lines of the closing summary of every start: addresses, snippet, example.
    var summary: @Sendable (LaunchSettings) throws -> [String]

    /// An installation without a product in it.
    static let empty = FirstStart(
        prepare: { _ in [] }, populate: { _, _ in },
        summary: { ["Console   \($0.publicURL)/console"] })
}
