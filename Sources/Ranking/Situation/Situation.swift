import Kernels

/// What is known of a request beyond the history: the user's attributes and the context, as (column, value) pairs.
///
/// A value of several categories, separated by |, counts as several; numbers fall into the learned quantiles' bins.
struct SituationKeys {
    /// U for attributes of the user, C for context: the same column name may be in both.
    enum Source: String, Sendable, CaseIterable { case user = "U", context = "C" }

    private static let separator = "\u{1F}"

    /// What a value is filed under; nil for what could not have been learned.
    static func key(_ source: Source, _ column: String, _ value: some StringProtocol) -> String? {
        guard !value.isEmpty, !value.utf8.contains(0), !column.utf8.contains(0) else { return nil }
        return [source.rawValue, column.uppercased(), String(value)].joined(separator: separator)
    }

    static func binKey(_ source: Source, _ column: String, _ number: Float, edges: [Float]) -> String? {
        guard number.isFinite else { return nil }
        return key(source, column, "bin \(edges.count { $0 <= number })")
    }

    /// For the model file.
    static func text(_ source: Source, _ column: String, edges: [Float]) -> String {
        [source.rawValue, column.uppercased(), edges.map { "\($0)" }.joined(separator: ",")].joined(separator: separator)
    }

    static func parse(_ text: String) -> (source: Source, column: String, edges: [Float])? {
        let parts = text.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.count == 3, let source = Source(rawValue: String(parts[0])) else { return nil }
        return (source, String(parts[1]), parts[2].split(separator: ",").compactMap { Float($0) }.filter(\.isFinite))
    }
}

/// How attributes and context move items, on a model's memory: score(j) = sum over values v of log ratio(v, j).
struct SituationEffects: Sendable {
    private let lists: MappedLists
    private let placeOfKey: [[UInt8]: Int]
    private let edges: [[UInt8]: [Float]]
    let itemCount: Int
    /// On scores made of a history, by source.
    let weights: [SituationKeys.Source: Float]
    /// On the logarithm of popularity, for those without a history.
    let newcomerWeight: Float

    /// Nil where the model has none.
    static func open(_ file: ModelFile, itemCount: Int, properties: [String: String]) throws(ModelError) -> SituationEffects? {
        guard file.section("situation.keys") != nil else { return nil }
        return try SituationEffects(file, itemCount: itemCount, properties: properties)
    }

    private init(_ file: ModelFile, itemCount: Int, properties: [String: String]) throws(ModelError) {
        self.itemCount = itemCount
        let keys = try file.texts("situation.keys")
        lists = try file.lists("situation", itemCount: keys.count)
        placeOfKey = Dictionary(keys.enumerated().map { (Array($1.utf8), $0) }) { first, _ in first }
        var edges: [[UInt8]: [Float]] = [:]
        for text in try file.texts("situation.edges") {
            guard let (source, column, values) = SituationKeys.parse(text) else { throw .damaged("bins of a column cannot be read") }
            edges[Array("\(source.rawValue)\(column)".utf8)] = values
        }
        self.edges = edges
        func weight(_ name: String) -> Float { max(0, properties["situation.\(name)"].flatMap(Float.init) ?? 0) }
        weights = [.user: weight("user_weight"), .context: weight("context_weight")]
        newcomerWeight = weight("newcomer_weight")
    }

    /// Adds weight x effect of each given value to the items' sums; false when no value is known.
    func add(
        _ values: [String: String], _ source: SituationKeys.Source, weight: Float, to sums: inout [Float]
    ) -> Bool {
        guard weight > 0, let rows = lists.rows.base, let strengths = lists.strengths.base else { return false }
        var isKnown = false
        for (column, value) in values.sorted(by: { $0.key < $1.key }) {
            for key in keys(source, column, value) {
                guard let place = placeOfKey[Array(key.utf8)] else { continue }
                let range = lists.range(of: place)
                sums.withUnsafeMutableBufferPointer { sums in
                    kernels_add_row(
                        rows + range.lowerBound, strengths + range.lowerBound, range.count, weight, sums.baseAddress, itemCount)
                }
                isKnown = true
            }
        }
        return isKnown
    }

    private func keys(_ source: SituationKeys.Source, _ column: String, _ value: String) -> [String] {
        if let edges = edges[Array("\(source.rawValue)\(column.uppercased())".utf8)] {
            return [SituationKeys.binKey(source, column, ColumnShape.number(value), edges: edges)].compactMap { $0 }
        }
        return ColumnShape.categories(in: value).compactMap { SituationKeys.key(source, column, $0) }
    }
}
