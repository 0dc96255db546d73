import Foundation
import Postgres

/// Days in a dataset group's zone, both ends included.
public struct MetricsRange: Sendable, Equatable {
    /// `yyyy-MM-dd`
    public let first: String
    public let last: String
    public static let limit = 92

    /// - Parameter today: the day in the group's zone; nothing after it is shown.
    public init(first: String, last: String, today: String) throws(OperationError) {
        guard let from = Self.dayNumber(first) else { throw .invalidInput("'\(first)' is not a day such as 2026-11-21.", field: "from") }
        guard let to = Self.dayNumber(last) else { throw .invalidInput("'\(last)' is not a day such as 2026-11-21.", field: "to") }
        guard from <= to else { throw .invalidInput("The first day comes after the last.", field: "from") }
        guard to - from < Self.limit else { throw .invalidInput("At most \(Self.limit) days at once.", field: "from") }
        self.first = first
        self.last = min(last, max(today, first))
    }

    /// The last so many days up to today.
    public init(lastDays days: Int, today: String) {
        last = today
        let number = Self.dayNumber(today) ?? 0
        first = Self.text(number - min(max(days, 1), Self.limit) + 1)
    }

    /// Days since 1970-01-01 of a day of the Gregorian calendar.
    static func dayNumber(_ text: String) -> Int? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard text.utf8.count == 10, parts.count == 3, parts[0].utf8.count == 4, parts[1].utf8.count == 2,
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]), year >= 1970, (1...12).contains(month), day >= 1
        else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        guard let date = calendar.date(from: DateComponents(year: year, month: month, day: day)),
            calendar.component(.day, from: date) == day
        else { return nil }
        return Int(date.timeIntervalSince1970 / 86_400)
    }

    static func text(_ dayNumber: Int) -> String { String(PGTimestamp(seconds: dayNumber * 86_400).description.prefix(10)) }

    /// Every day of it, in order.
    public var days: [String] {
        guard let from = Self.dayNumber(first), let to = Self.dayNumber(last), from <= to else { return [] }
        return (from...to).map(Self.text)
    }
}

/// What happened in a dataset group in some days of its zone.
public struct MetricsReport: Sendable {
    public struct Day: Sendable, Equatable {
        public let day: String
        public var requests = RequestFigures()
        public var events = 0
        public var activity = Activity()
        /// All purchases less refunds, in the group's currency.
        public var revenue = 0.0
        /// Amounts in other currencies: set aside, in no sum.
        public var foreignAmounts = 0
    }

    /// What recommendations did.
    public struct Activity: Sendable, Equatable {
        public var lists = 0
        public var clicks = 0
        /// Purchases of an item within seven days after a click on it in a recommendation.
        public var purchases = 0
        public var revenue = 0.0

        /// Clicks for each list; nil without lists.
        public var clickThrough: Double? { lists > 0 ? Double(clicks) / Double(lists) : nil }

        static func += (left: inout Activity, right: Activity) {
            left.lists += right.lists
            left.clicks += right.clicks
            left.purchases += right.purchases
            left.revenue += right.revenue
        }
    }

    public struct EventCount: Sendable, Equatable {
        public let type: String
        /// By day, in the order of `days`.
        public let counts: [Int]
        public var total: Int { counts.reduce(0, +) }
    }

    /// Activity of one placement or campaign; the name is nil for lists that had none.
    public struct Named: Sendable, Equatable {
        public let name: String?
        public let activity: Activity
    }

    public struct Operation: Sendable, Equatable {
        public let operation: String
        /// Campaign or placement; empty where there is none.
        public let target: String
        public let figures: RequestFigures
    }

    public let range: MetricsRange
    public let days: [Day]
    public let events: [EventCount]
    public let placements: [Named]
    public let campaigns: [Named]
    public let operations: [Operation]
    /// ISO 4217.
    public let currency: String
    /// IANA.
    public let timeZone: String

    public var requests: RequestFigures { days.reduce(into: RequestFigures()) { $0 += $1.requests } }
    public var activity: Activity { days.reduce(into: Activity()) { $0 += $1.activity } }
    public var revenue: Double { days.reduce(0) { $0 + $1.revenue } }
    public var foreignAmounts: Int { days.reduce(0) { $0 + $1.foreignAmounts } }
}

/// Requests with their outcome and a histogram of their latency.
public struct RequestFigures: Sendable, Equatable {
    public var requests = 0
    /// Answered 4xx: what was asked was wrong.
    public var clientErrors = 0
    /// Answered 5xx: we failed.
    public var serverErrors = 0
    /// Counts by bucket; the last one is everything slower than a second.
    public var latency = [Int](repeating: 0, count: RequestFigures.bounds.count + 1)

    /// Upper bounds of the buckets in milliseconds.
    public static let bounds: [Double] = [1, 2, 5, 10, 20, 50, 100, 250, 1000]

    public init() {}

    static func += (left: inout RequestFigures, right: RequestFigures) {
        left.requests += right.requests
        left.clientErrors += right.clientErrors
        left.serverErrors += right.serverErrors
        for index in left.latency.indices where index < right.latency.count { left.latency[index] += right.latency[index] }
    }

    /// Milliseconds that so large a share of the requests took at most, by a straight line within the bucket. Nil without requests;
    /// infinite when it lies beyond a second.
    public func latency(percentile share: Double) -> Double? {
        let total = latency.reduce(0, +)
        guard total > 0 else { return nil }
        let wanted = share * Double(total)
        var below = 0.0
        for (index, count) in latency.enumerated() {
            let reached = below + Double(count)
            if reached >= wanted, count > 0 {
                guard index < Self.bounds.count else { return .infinity }
                let lower = index == 0 ? 0 : Self.bounds[index - 1]
                return lower + (Self.bounds[index] - lower) * max(0, wanted - below) / Double(count)
            }
            below = reached
        }
        return .infinity
    }
}
