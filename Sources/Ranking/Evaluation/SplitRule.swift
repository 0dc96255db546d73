/// How the events are parted into what a model may learn and what it should foretell.
public enum SplitRule: Sendable, Equatable {
    /// Each user's last event is the truth.
    case leaveLastOut
    /// Learn from before one moment (seconds since 1970), foretell what follows; nil takes the moment with four fifths before it.
    case temporal(cut: Int64?)
    /// A fifth of the items loses all events; users are foretold which of these they meet.
    case coldItem
    /// The newest tenth of the sessions: every prefix foretells the next item.
    case session
    /// A tenth of the users is held out with the newest tenth of their events as truth, as the contract's metrics do.
    case personalize

    public static let names = ["leave-last-out", "temporal[=TIME]", "cold-item", "session", "personalize"]

    public init?(_ text: String) {
        switch text {
        case "leave-last-out": self = .leaveLastOut
        case "temporal": self = .temporal(cut: nil)
        case "cold-item": self = .coldItem
        case "session": self = .session
        case "personalize": self = .personalize
        default:
            guard text.hasPrefix("temporal="), let cut = Int64(text.dropFirst("temporal=".count)) else { return nil }
            self = .temporal(cut: cut)
        }
    }
}

/// One list that is asked of a model, and what it should hold.
public struct TestQuery: Sendable, Equatable {
    public var user: Int32
    /// Places in the split's `order`, oldest first.
    public var history: Range<Int>
    /// Distinct items.
    public var truth: [Int32]
    /// Queries of one group are drawn together by the bootstrap: the prefixes of one session.
    public var group: Int32
    /// Position in the data of the first event of the truth, whose context the request has.
    public var firstEvent: Int32?

    public init(user: Int32, history: Range<Int>, truth: [Int32], group: Int32, firstEvent: Int32? = nil) {
        self.firstEvent = firstEvent
        self.user = user
        self.history = history
        self.truth = truth
        self.group = group
    }
}

/// Data parted by a rule.
public struct EvaluationSplit: Sendable {
    /// Positions in the data that a model may learn from, ascending.
    public var training: [Int] = []
    /// Positions in the data, to which the histories point.
    public var order: [Int32] = []
    /// Ordered by group.
    public var queries: [TestQuery] = []
    /// When there are any, only these are ranked, in an order that says nothing about them.
    public var candidates: [Int32]?
    /// Are items of the history left out of the lists, and of the truth?
    public var removesSeen = true
    /// Is every history just what the training part holds of the user?
    public var historiesAreTraining = false
    /// What was done, for people.
    public var sentences: [String] = []

    /// At most this many queries are tested; more are thinned out by the seed.
    public static let queryLimit = 100_000

    /// The events to learn from.
    public func trainingData(_ data: TrainingData) -> TrainingData { data.selecting(training) }

    /// The newest first `limit` events of a query's history, oldest first.
    public func history(of query: TestQuery, in data: TrainingData, limit: Int = 2000) -> [HistoryEvent] {
        order[query.history].suffix(limit).map { position in
            let position = Int(position)
            return HistoryEvent(
                item: data.items[position], eventType: Int16(data.eventTypes[position]), timestamp: data.timestamps[position],
                value: data.values[position])
        }
    }
}

/// The data without each user's newest event: what the strict variants learn from.
public func leavingNewestOut(_ data: TrainingData, _ positions: [Int]) throws(FitError) -> [Int] {
    let part = data.selecting(positions)
    let timeline = try UserTimeline(part)
    var isNewest = [Bool](repeating: false, count: part.count)
    for index in timeline.users.indices { isNewest[Int(timeline.order[timeline.range(index).upperBound - 1])] = true }
    return positions.indices.filter { !isNewest[$0] }.map { positions[$0] }
}

public func leavingNewestOut(_ data: TrainingData) throws(FitError) -> TrainingData {
    data.selecting(try leavingNewestOut(data, Array(0..<data.count)))
}
