import JSON
public import Postgres

/// Two or more ways to fill a placement, compared on visitors.
public struct Experiment: Sendable, Equatable {
    public enum State: String, Sendable {
        case draft, running, stopped
    }

    /// What decides. One metric alone, named before the start.
    public enum PrimaryMetric: String, Sendable, CaseIterable {
        case conversion, revenue
        case clickThrough = "click-through"

        public var outcome: OutcomeMetric {
            switch self {
            case .conversion: .conversion
            case .revenue: .revenue
            case .clickThrough: .clickThrough
            }
        }
    }

    /// One of the ways. The first arm is the control.
    public struct Arm: Sendable, Equatable {
        /// Which promotions act in the arm.
        public enum PromotionSet: Sendable, Equatable {
            /// Those of the placement, as without the experiment.
            case placement
            case none
            case listed([Int32])
        }

        public let id: Int32
        public let name: String
        /// Share of the units, in proportion to the other arms' weights.
        public let weight: Double
        /// Nil: what the placement has.
        public let campaignName: String?
        public let filterName: String?
        public let promotions: PromotionSet
    }

    public let id: Int32
    public let datasetGroupID: Int32
    public let placementID: Int32
    public let placementName: String
    public let placementTitle: String
    public let name: String
    public let hypothesis: String
    public let state: State
    /// Decides with the unit's id who is in which arm.
    public let seed: String
    public let primaryMetric: PrimaryMetric
    /// A unit with such an event in its window converted.
    public let convertingEvent: String
    /// Days after the unit's own first exposure in which what it does counts.
    public let windowDays: Int
    /// Share of the placement's visitors who take part.
    public let coverage: Double
    public let startedAt: PGTimestamp?
    public let plannedEndAt: PGTimestamp
    public let stoppedAt: PGTimestamp?
    public let stopReason: String?
    public let createdBy: String
    public let createdAt: PGTimestamp
    /// In order, the control first.
    public let arms: [Arm]

    /// Units first exposed before it count: the planned end, or the stop if that came first.
    public var countsUntil: PGTimestamp { min(plannedEndAt, stoppedAt ?? plannedEndAt) }
    /// Why the product itself stopped it.
    static let plannedEndReason = "It reached its planned end."
    public var wasStoppedEarly: Bool { stoppedAt.map { $0 < plannedEndAt } ?? false }
}

/// What an experiment is to be.
public struct ExperimentInput: Sendable {
    public struct Arm: Sendable {
        public var name: String
        public var weight: Double
        /// By name; nil: what the placement has.
        public var campaign: String?
        public var filter: String?
        public var promotions: Experiment.Arm.PromotionSet

        public init(
            name: String, weight: Double = 1, campaign: String? = nil, filter: String? = nil,
            promotions: Experiment.Arm.PromotionSet = .placement
        ) {
            self.name = name
            self.weight = weight
            self.campaign = campaign
            self.filter = filter
            self.promotions = promotions
        }
    }

    public var name: String
    public var hypothesis = ""
    /// By name.
    public var placement: String
    public var primaryMetric: Experiment.PrimaryMetric
    public var convertingEvent = "Purchase"
    public var windowDays = 7
    public var coverage = 1.0
    public var plannedEndAt: PGTimestamp
    /// The control first.
    public var arms: [Arm]
    /// Random unless a simulation has to repeat itself.
    public var seed: String?

    public init(name: String, placement: String, primaryMetric: Experiment.PrimaryMetric, plannedEndAt: PGTimestamp, arms: [Arm]) {
        self.name = name
        self.placement = placement
        self.primaryMetric = primaryMetric
        self.plannedEndAt = plannedEndAt
        self.arms = arms
    }

    func check(now: PGTimestamp) throws(OperationError) {
        try Check.length(name, 1...100, field: "name")
        try Check.length(hypothesis, 0...2000, field: "hypothesis")
        try Check.length(convertingEvent, 1...256, field: "convertingEvent")
        try Check.range(windowDays, 1...90, field: "windowDays")
        guard coverage > 0, coverage <= 1 else {
            throw .invalidInput("The share of visitors who take part is more than 0 and at most 100 %.", field: "coverage")
        }
        guard plannedEndAt > now else { throw .invalidInput("The planned end has to lie in the future.", field: "plannedEnd") }
        guard plannedEndAt <= now.adding(seconds: 366 * 86_400) else {
            throw .invalidInput("The planned end lies more than a year ahead.", field: "plannedEnd")
        }
        guard (2...10).contains(arms.count) else { throw .invalidInput("An experiment has 2 to 10 arms.", field: "arms") }
        for arm in arms {
            try Check.length(arm.name, 1...50, field: "arms")
            guard arm.weight > 0, arm.weight <= 1000 else {
                throw .invalidInput("The weight of '\(arm.name)' has to be more than 0 and at most 1000.", field: "arms")
            }
        }
        guard arms.map(\.name).uniqueBytes.count == arms.count else { throw .invalidInput("Two arms have the same name.", field: "arms") }
    }
}

extension Experiment.Arm.PromotionSet {
    var columns: (kind: String, ids: [Int32]) {
        switch self {
        case .placement: ("placement", [])
        case .none: ("none", [])
        case .listed(let ids): ("listed", ids)
        }
    }

    init(kind: String, ids: [Int32]) {
        switch kind {
        case "none": self = .none
        case "listed": self = .listed(ids)
        default: self = .placement
        }
    }
}

extension Experiment {
    /// What an audit entry keeps of it.
    var auditJSON: JSONValue {
        [
            "name": .string(name), "placement": .string(placementName), "primaryMetric": .string(primaryMetric.rawValue),
            "convertingEvent": .string(convertingEvent), "windowDays": .integer(Int64(windowDays)), "coverage": .double(coverage),
            "plannedEnd": .string(LocalTime.machine(plannedEndAt)),
            "arms": .array(
                arms.map { arm in
                    [
                        "name": .string(arm.name), "weight": .double(arm.weight),
                        "campaign": arm.campaignName.map { .string($0) } ?? .null, "filter": arm.filterName.map { .string($0) } ?? .null,
                        "promotions": .string(arm.promotions.columns.kind),
                        "promotionIDs": .array(arm.promotions.columns.ids.map { .integer(Int64($0)) }),
                    ]
                }),
        ]
    }
}
