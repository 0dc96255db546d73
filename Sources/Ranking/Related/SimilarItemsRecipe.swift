import Foundation
import Kernels

/// Related items by what the same users met and by what describes the items, each as far as held-out events say.
///
/// strength(i, j) = sum over forms k of w_k s_k(i, j) / m_k: shared users (as `NeighborRecipe` has them), likeness of metadata and the
/// regression on metadata, m_k being the mean strength of a list's first entry. Items that few users met have weights of their own.
struct SimilarItemsRecipe: Recipe {
    private let inner: NeighborRecipe
    var kind: RankedItem.Kind { inner.kind }
    var normalization: ScoreNormalization { inner.normalization }

    static var takesCatalog: Bool { true }

    init(opening file: ModelFile, _ header: ModelHeader) throws(ModelError) { inner = try NeighborRecipe(opening: file, header) }

    func score(_ request: RankingRequest, wanted: Int, _ scratch: inout RankingScratch) -> Bool {
        inner.score(request, wanted: wanted, &scratch)
    }

    func parts(of row: Int32, _ request: RankingRequest, _ scratch: inout RankingScratch) -> [(item: Int32, part: Float)] {
        inner.parts(of: row, request, &scratch)
    }

    static func memoryEstimate(items: Int, users: Int, events: Int, _ configuration: FitConfiguration) -> Int {
        NeighborRecipe.memoryEstimate(items: items, users: users, events: events, configuration) * 3
    }

    static func fit(
        _ matrix: InteractionMatrix, _ configuration: FitConfiguration, _ span: ProgressSpan, into draft: inout ModelDraft
    ) throws(FitError) {
        var forms = RelatedForms(matrix, configuration)
        try forms.learnContent(span.part(0, 0.1), log: &draft.log)
        var weights = RelatedWeights.standard
        let split = ValidationSplit(matrix, seed: configuration.seed, hasClock: matrix.hasClock(), demotesHistory: true)
        if forms.plan.content == nil {
            draft.log.append("No metadata tells items apart: they are related by shared users alone.")
        } else if split.users.count >= BlendSelection.minimumUsers {
            let lists = try forms.fit(split.training, span.part(0.1, 0.5))
            weights = try RelatedWeights(split, lists, span.part(0.5, 0.5), &draft.log)
        }
        let lists = try forms.fit(matrix, span.part(0.5, 0.95))
        let merged = RelatedForms.merge(
            lists, weights, users: matrix.popularity().users, limit: NeighborLists.limit(itemCount: matrix.itemCount))
        draft.log.append("Related items: \(merged.rows.count) pairs.")
        draft.sections += SectionContent.lists("related", merged)
        for (name, value) in weights.properties { draft.set(name, value) }
    }
}

/// The forms of relatedness, each as lists by source with a mean first strength of 1.
struct RelatedForms {
    private(set) var plan: BlendPlan
    private let configuration: FitConfiguration

    /// Shared users, likeness, regression.
    static let titles = ["shared users", Ingredient.likeness.title, Ingredient.content.title]
    private static let minimumShared = 1
    private static let shrinkage: Float = 10
    private static let historyLimit = 500

    init(_ matrix: InteractionMatrix, _ configuration: FitConfiguration) {
        plan = BlendPlan(matrix, configuration)
        self.configuration = configuration
    }

    mutating func learnContent(_ span: ProgressSpan, log: inout [String]) throws(FitError) {
        try plan.learnContent(configuration, span, log: &log)
    }

    func fit(_ matrix: InteractionMatrix, _ span: ProgressSpan) throws(FitError) -> [NeighborLists] {
        try span.reporter.step(span.start, "Comparing items by shared users")
        var flat = HistoryWeights(matrix, configuration)
        flat.recencyBoost = 0
        let shared = CointeractionFit(
            popularityDiscount: 0.5, minimumCount: Self.minimumShared, shrinkage: Self.shrinkage, threads: configuration.threads)
        let rows = try matrix.userItems(flat, limit: Self.historyLimit, threads: configuration.threads, span)
        var lists = [try shared.fit(rows, itemCount: matrix.itemCount, span.part(0, 0.3))]
        if let features = plan.features, let space = plan.content {
            try span.reporter.step(span.share(0.3), "Comparing items by metadata")
            let all = Array(0..<Int32(matrix.itemCount))
            let limit = NeighborLists.limit(itemCount: matrix.itemCount)
            let content = ContentFit(features: features, limit: limit, threads: configuration.threads)
            let likeness = try content.likeness(targets: all, span.part(0.3, 0.5))
            lists.append(likeness)
            if let vectors = try space.regression(learned: matrix.metItems(), ridge: plan.contentRidge, span.part(0.5, 0.9)) {
                lists.append(likeness.withStrengths(vectors, dimensions: space.rank))
            }
        }
        return lists.map(Self.normalized)
    }

    /// Strengths over the mean of the lists' highest.
    private static func normalized(_ lists: NeighborLists) -> NeighborLists {
        var sum = 0.0
        var count = 0.0
        for item in 0..<lists.offsets.count - 1 {
            let range = Int(lists.offsets[item])..<Int(lists.offsets[item + 1])
            if let highest = lists.strengths[range].max(), highest > 0 {
                sum += Double(highest)
                count += 1
            }
        }
        guard sum > 0 else { return lists }
        var result = lists
        let scale = Float(count / sum)
        for index in result.strengths.indices { result.strengths[index] *= scale }
        return result
    }

    static func merge(_ lists: [NeighborLists], _ weights: RelatedWeights, users: [Float], limit: Int) -> NeighborLists {
        var accumulator = NeighborAccumulator(itemCount: users.count)
        var result = NeighborLists()
        for item in users.indices {
            for (list, weight) in zip(lists, weights.of(users: users[item])) where weight > 0 {
                for position in Int(list.offsets[item])..<Int(list.offsets[item + 1]) {
                    accumulator.add(list.rows[position], weight * list.strengths[position])
                }
            }
            let best = accumulator.drain(limit: limit) { row, sum, _ in Int(row) == item ? 0 : sum }
            result.rows += best.map(\.row)
            result.strengths += best.map(\.strength)
            result.offsets.append(UInt32(result.rows.count))
        }
        return result
    }
}

/// How much each form counts, for items that many users met and for those that few met.
struct RelatedWeights {
    private var head: [Float]
    private var tail: [Float]

    /// Items with fewer users than this are the tail.
    static let tailUsers: Float = 10
    /// When nothing can be measured: who met it, then what describes it.
    static let standard = RelatedWeights(head: [1, 0.1, 0], tail: [1, 0.5, 0])

    private init(head: [Float], tail: [Float]) { (self.head, self.tail) = (head, tail) }

    func of(users: Float) -> [Float] { users < Self.tailUsers ? tail : head }

    var properties: [(String, String)] {
        [("related.head_weights", Self.text(head)), ("related.tail_weights", Self.text(tail))]
    }

    private static func text(_ weights: [Float]) -> String { weights.map { decimals(Double($0), 3) }.joined(separator: " ") }

    /// Learned on what users met after the last item of their history.
    init(_ split: ValidationSplit, _ lists: [NeighborLists], _ span: ProgressSpan, _ log: inout [String]) throws(FitError) {
        self = Self.standard
        let training = split.training
        let users = training.popularity().users
        var cases: (head: [ValidationCase], tail: [ValidationCase]) = ([], [])
        for user in split.users {
            let range = training.offsets[user.row]..<training.offsets[user.row + 1]
            guard let last = range.last.map({ Int(training.items[$0]) }) else { continue }
            let single = Self.single(lists, source: last, history: Set(training.items[range]), truth: user.truth)
            if users[last] < Self.tailUsers { cases.tail.append(single) } else { cases.head.append(single) }
        }
        head = try Self.learned(cases.head, count: lists.count, "many users", span, &log) ?? head
        tail = try Self.learned(cases.tail, count: lists.count, "few users", span, &log) ?? tail
    }

    private static func single(
        _ lists: [NeighborLists], source: Int, history: Set<Int32>, truth: Set<Int32>
    ) -> ValidationCase {
        let columns = lists.map { list in
            Dictionary(
                (Int(list.offsets[source])..<Int(list.offsets[source + 1])).map { (list.rows[$0], list.strengths[$0]) }
            ) { first, _ in first }
        }
        let rows = columns.reduce(into: Set<Int32>()) { $0.formUnion($1.keys) }.subtracting(history).sorted()
        return ValidationCase(
            rowCount: rows.count, relevant: rows.indices.filter { truth.contains(rows[$0]) }, truthCount: truth.count,
            scores: columns.flatMap { column in rows.map { column[$0] ?? 0 } })
    }

    /// Nil with too few cases.
    private static func learned(_ cases: [ValidationCase], count: Int, _ whose: String, _ span: ProgressSpan, _ log: inout [String])
        throws(FitError) -> [Float]?
    {
        guard cases.count >= BlendSelection.minimumUsers else { return nil }
        let ingredients: [Ingredient] = [.graph, .likeness, .content]
        let search = BlendSearch(columns: ingredients.prefix(count).map { ($0, SourceRule()) }, cases: cases, span: span)
        let alone = try search.alone()
        let weights = try search.weights(Array(0..<count), alone, smooths: false)
        let parts = zip(RelatedForms.titles, weights).map { "\($0) x \(decimals(Double($1), 2))" }.joined(separator: " + ")
        log.append("For items that \(whose) met: \(parts), validation NDCG@10 \(decimals(try search.quality(weights).ndcg, 4)).")
        return weights
    }
}

extension NeighborLists {
    /// The same pairs with the products of their vectors.
    fileprivate func withStrengths(_ vectors: [Float], dimensions: Int) -> NeighborLists {
        var result = self
        vectors.withUnsafeBufferPointer { vectors in
            guard let base = vectors.baseAddress else { return }
            for source in 0..<offsets.count - 1 {
                let range = Int(offsets[source])..<Int(offsets[source + 1])
                result.strengths.withUnsafeMutableBufferPointer { out in
                    rows.withUnsafeBufferPointer { rows in
                        guard !range.isEmpty, let rows = rows.baseAddress, let out = out.baseAddress else { return }
                        kernels_dot_rows(
                            kernels_best_path(), base, dimensions, base + source * dimensions, rows + range.lowerBound, range.count,
                            out + range.lowerBound)
                    }
                }
            }
        }
        return result
    }
}
