/// Items whose interactions have risen the most between the newest interval and those before it. What the model holds is the state at the
/// newest interaction that it learned from; a service counts anew instead.
struct TrendingRecipe: Recipe {
    let kind = RankedItem.Kind.popular
    let normalization = ScoreNormalization.share
    private let list: PopularityRecipe

    static func fit(
        _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ span: ProgressSpan, into draft: inout ModelDraft
    ) throws(FitError) {
        let window = configuration.trendWindow
        let end = matrix.timestamps.max() ?? 0
        let trending = TrendCounts(matrix, end: end, window: window).ranked()
        try span.reporter.step(span.share(0.9), "Compared the newest interval with those before")
        draft.set("trend_window", window)
        draft.set("trend_until", end)
        if let threshold = configuration.eventValueThreshold { draft.set("trend_threshold", threshold) }
        draft.log.append(sentence(trending, window: window))
        let scores = scores(trending, matrix)
        draft.sections += [
            SectionContent("trend.scores", scores),
            SectionContent("trend.order", (0..<Int32(matrix.itemCount)).sorted { (scores[Int($1)], $0) < (scores[Int($0)], $1) }),
        ]
        try span.reporter.step(span.end, "Ordered items by trend")
    }

    private static func sentence(_ trending: [TrendingItem], window: Int64) -> String {
        let rising = trending.count { $0.isRising }
        let found =
            rising == 0
            ? "no item has risen beyond chance, so that recent popularity orders them all"
            : "\(rising) items have risen beyond chance; the others follow by recent popularity"
        return "Compared the newest \(window / 60) minutes with the \(TrendCounts.intervals - 1) intervals before: \(found)."
    }

    /// Per row, above 0: rising items from 1 on, the others below it by recent and then by general popularity.
    private static func scores(_ trending: [TrendingItem], _ matrix: InteractionMatrix) -> [Float] {
        let users = matrix.popularity().users
        let mostUsers = Double(users.max() ?? 0) + 1
        let mostRecent = (trending.map(\.recent).max() ?? 0) + 1
        var scores = users.map { Float(Double($0) / mostUsers / mostRecent) }
        for entry in trending {
            let row = Int(entry.item)
            scores[row] = entry.isRising ? Float(1 + entry.gain) : Float((entry.recent + Double(users[row]) / mostUsers) / mostRecent)
        }
        return scores
    }

    static func memoryEstimate(items: Int, users: Int, events: Int, _ configuration: FitConfiguration) -> Int { items * 200 }

    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) {
        list = PopularityRecipe(
            values: try file.floats("trend.scores", count: header.itemCount),
            order: try file.array("trend.order", .int32, count: header.itemCount))
    }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        list.score(request, wanted: wanted, &scratch)
    }

    func parts(of row: Int32, _ request: RankingRequest, _ scratch: inout RankingScratch) -> [(item: Int32, part: Float)] { [] }
}

extension TrendCounts {
    /// Rows of a matrix up to `end`.
    init(_ matrix: InteractionMatrix, end: Int64, window: Int64) {
        self.init()
        var seen: [(item: Int32, age: Int)] = []
        for user in 0..<matrix.userCount {
            seen.removeAll(keepingCapacity: true)
            for position in matrix.offsets[user]..<matrix.offsets[user + 1] {
                if let age = Self.age(of: matrix.timestamps[position], end: end, window: window) {
                    seen.append((matrix.items[position], age))
                }
            }
            seen.sort { $0 < $1 }
            for index in seen.indices where index == 0 || seen[index] != seen[index - 1] {
                add(item: seen[index].item, age: seen[index].age, users: 1)
            }
        }
    }
}

/// What a service has to count to know the trends of now.
public struct TrendRule: Sendable, Hashable {
    /// Seconds.
    public var window: Int64
    /// Time of the newest interaction that the model knows.
    public var until: Int64
    /// Least value of an event that counts.
    public var valueThreshold: Double?

    public init(window: Int64, until: Int64, valueThreshold: Double? = nil) {
        self.window = window
        self.until = until
        self.valueThreshold = valueThreshold
    }
}

extension Model {
    /// Nil for recipes that have nothing to do with trends.
    public var trend: TrendRule? {
        guard let window = properties["trend_window"].flatMap(Int64.init), window > 0,
            let until = properties["trend_until"].flatMap(Int64.init)
        else { return nil }
        return TrendRule(window: window, until: until, valueThreshold: properties["trend_threshold"].flatMap(Double.init))
    }
}
