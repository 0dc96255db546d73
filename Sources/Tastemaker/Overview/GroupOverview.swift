public import Postgres

/// How far a dataset group is, for its first page.
public struct GroupOverview: Sendable {
    /// What one place on the site is filled from, and what is missing for better.
    public struct Place: Sendable {
        public let name: String
        public let title: String
        public let campaign: String?
        /// When the campaign's version was trained.
        public let trainedAt: PGTimestamp?
        public let isAutomatic: Bool
    }

    /// Rows by dataset type; interactions of a large dataset, with items or actions, are the planner's estimate.
    public let items: Int64
    public let users: Int64
    public let interactions: Int64
    public let actions: Int64
    public let actionInteractions: Int64
    /// Of the events that came one by one; these are kept for eight days.
    public let lastEventAt: PGTimestamp?
    /// The beginning of the newest quarter of an hour with an interaction, imported or not, as far as they are counted.
    public let lastCountedAt: PGTimestamp?
    public let places: [Place]
    public let hasTracker: Bool
    public let jobs: [Job]
    /// Failed in the last seven days, newest first.
    public let failedJobs: [Job]
    public let refusedEvents: Int64

    /// Interactions that the first model needs.
    public static let firstModelInteractions: Int64 = 1000
}
