/// What was removed with a user. The numbers stand in the audit; the id does not.
public struct ErasedUser: Sendable, Equatable {
    public var interactions = 0
    public var histories = 0
    public var exposures = 0
    public var shownLists = 0
    public var impressions = 0
    public var rawEvents = 0
    public var records = 0
    /// Ids forgotten: the user's own, and those of browsers that were only this user's.
    public var ids = 0

    /// By name, in the order of answers.
    public var counts: [(name: StaticString, count: Int)] {
        [
            ("interactions", interactions), ("histories", histories), ("exposures", exposures), ("shownLists", shownLists),
            ("impressions", impressions), ("rawEvents", rawEvents), ("records", records), ("ids", ids),
        ]
    }
}
