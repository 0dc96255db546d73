/// What to rank, for whom.
public struct RankingRequest: Sendable {
    /// A factor on one item's score; above 1 lifts it, below 1 buries it.
    public struct Boost: Sendable, Equatable {
        /// Model row.
        public var row: Int
        public var factor: Float

        public init(row: Int, factor: Float) {
            self.row = row
            self.factor = factor
        }
    }

    /// The user's recent events, oldest first.
    public var history: [HistoryEvent]
    /// Interned id of the user, for models that hold vectors of users.
    public var user: Int32?
    /// The item whose related items are wanted.
    public var item: Int32?
    /// For related items: relate by this event type only (index in the model's `eventTypeNames`), where the model has it.
    public var relatedByEventType: Int?
    /// Bit `row % 64` of word `row / 64` admits a model row; nil admits all, rows past the end are not admitted.
    /// Applied before scoring, so the answer is exact.
    public var allowed: [UInt64]?
    /// Rank exactly these items; unknown ones come last without score, repeated ones count once.
    public var candidates: [Int32]?
    public var boosts: [Boost]?
    /// How many items are wanted at most; with `candidates` the whole list comes back when it is not smaller.
    public var count: Int
    /// Give the reasons of each item?
    public var explain: Bool
    /// Leave out the items of the history? Otherwise they stay, but stand last where the training data had no repeats.
    public var excludeHistory: Bool
    /// Let the items of the history stand where their scores put them, whatever the training data says of repeats? Without effect
    /// when they are left out.
    public var keepsHistory: Bool
    /// The user's attributes by column, as text; several categories are separated by |.
    public var attributes: [String: String] = [:]
    /// What the request comes in, by context column.
    public var context: [String: String] = [:]
    /// When the list is wanted, in seconds since 1970; nil when that is not known.
    public var moment: Int64?
    /// Are items to be scored as of a list that the caller gave, whatever `candidates` says?
    var scoresAsList: Bool?

    public init(
        history: [HistoryEvent] = [], item: Int32? = nil, relatedByEventType: Int? = nil, allowed: [UInt64]? = nil,
        candidates: [Int32]? = nil, boosts: [Boost]? = nil, count: Int = 25, explain: Bool = false,
        excludeHistory: Bool = false, keepsHistory: Bool = false
    ) {
        self.history = history
        self.item = item
        self.relatedByEventType = relatedByEventType
        self.allowed = allowed
        self.candidates = candidates
        self.boosts = boosts
        self.count = count
        self.explain = explain
        self.excludeHistory = excludeHistory
        self.keepsHistory = keepsHistory
    }

    var ranksList: Bool { scoresAsList ?? (candidates != nil) }

    /// Which of the learned weights are meant.
    var occasion: BlendOccasion {
        if ranksList { return .list }
        guard let moment, let last = history.last, Self.isPause(from: last.timestamp, to: moment) else { return .usual }
        return .returning
    }

    /// A pause of more than half an hour ends a visit.
    static func isPause(from earlier: Int64, to later: Int64) -> Bool {
        later > earlier && UInt64(bitPattern: later &- earlier) > EvaluationSplit.sessionPause
    }

    func allows(_ row: Int) -> Bool {
        guard row >= 0 else { return false }
        guard let allowed else { return true }
        let word = row / 64
        return word < allowed.count && allowed[word] >> UInt64(row % 64) & 1 == 1
    }
}

/// A bitmap over `count` rows with the given rows set, as `RankingRequest.allowed` takes it.
public func rowBitmap(_ rows: some Sequence<Int>, count: Int) -> [UInt64] {
    var words = [UInt64](repeating: 0, count: (count + 63) / 64)
    for row in rows where row >= 0 && row < count { words[row / 64] |= 1 << UInt64(row % 64) }
    return words
}

/// Why an item stands in an answer.
public struct Contribution: Sendable, Equatable {
    /// Interned id of an item of the history, or of the item that was asked about.
    public var historyItem: Int32
    /// Its part of all that speaks for the item, 0...1; the parts of all history items add up to 1.
    public var share: Float
}

/// One item of an answer.
public struct RankedItem: Sendable, Equatable {
    public enum Kind: String, Sendable { case personalized, related, popular, unknown }

    /// Interned id.
    public var item: Int32
    /// Raw score, comparable within one answer; nil for candidates unknown to the model and for filling items.
    public var score: Float?
    /// 0...1; all re-scored candidates of the request add up to 1.
    public var normalizedScore: Float?
    public var kind: Kind
    /// At most three, strongest first; empty unless asked for.
    public var reasons: [Contribution]
    /// The part of the score that the user's attributes and the context have; nil unless asked for and there.
    public var situationPart: Float?
    /// What the model's objective adds to the raw score; nil without one, and unless asked for.
    public var objectivePart: Float?
    /// What recent popularity adds to the raw score, the same for everybody; nil as above.
    public var popularityPart: Float?
    /// What the item's being chosen or passed over when it was shown adds to the raw score; nil as above.
    public var choicePart: Float?
}

/// An answer, best first.
public struct RankingResult: Sendable {
    public var items: [RankedItem]
    /// Items that were scored exactly.
    public var consideredCount: Int
    /// Distinct items of the history that the model knows and uses.
    public var historyItemsUsed: Int
}
