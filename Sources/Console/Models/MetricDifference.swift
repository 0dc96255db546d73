import Ranking

/// How an offline figure of two versions differs, and whether that is more than chance.
struct MetricDifference {
    let text: String
    /// Its 95 % interval; nil where it is not known, or where the figures agree.
    let interval: String?
    /// Nil where the figures agree, or where more is a matter of taste.
    let verdict: String?

    /// - Parameters:
    ///   - moreIsBetter: nil where that is a matter of taste.
    ///   - errors: of the two versions, each nil where none was stored.
    ///   - isSameData: whether both learned from the same data; else what one was asked may be harder than what the other was.
    init(_ value: Double, moreIsBetter: Bool?, errors: (SamplingError?, SamplingError?), isSameData: Bool) {
        text = Self.text(value)
        var range: ClosedRange<Double>?
        if let mine = errors.0, let other = errors.1 { range = mine.interval(ofDifference: value, from: other) }
        interval = text == "0" ? nil : range.map { "\(Self.text($0.lowerBound)) to \(Self.text($0.upperBound))" }
        if text == "0" || moreIsBetter == nil {
            verdict = nil
        } else if let range {
            let judged = (value > 0) == moreIsBetter ? "better" : "worse"
            verdict = range.contains(0) ? "within chance" : isSameData ? judged : "beyond chance"
        } else {
            verdict = "chance not known"
        }
    }

    /// With its sign, four places.
    static func text(_ value: Double) -> String {
        abs(value) < 0.00005 ? "0" : (value > 0 ? "+" : "−") + PageFormat.decimal(abs(value), places: 4)
    }

    /// What the differences of a table rest on.
    static func explanation(_ mine: [String: SamplingError], _ other: [String: SamplingError], isSameData: Bool) -> String {
        let users = [mine, other].compactMap { $0.values.map(\.userCount).max() }
        let held =
            users.count == 2
            ? "held out of its own data, \(PageFormat.number(users[0])) here and \(PageFormat.number(users[1])) there"
            : "held out of its own data"
        let rule =
            isSameData
            ? "A difference is called better or worse only where its 95 % interval leaves out zero"
            : "The data have changed between the trainings, so that what one was asked may be harder than what the other was: no version is "
                + "called the better one. A difference is beyond chance where its 95 % interval leaves out zero"
        return "Each version was judged by people \(held); they need not be the same people. \(rule), which of twenty figures about one "
            + "does by chance alone. “Chance not known”: a version keeps no spread of the figure, or asked fewer than 30 people."
    }
}
