import Foundation

/// What can be tried on data of this shape, decided before anything is fitted.
struct BlendPlan: Sendable {
    let hasClock: Bool
    /// Do users come back to items, so that these belong into lists?
    let hasReturns: Bool
    /// Does some event tell what was shown beside it?
    let hasShown: Bool
    /// Items that dense forms may take in.
    let coreLimit: Int
    /// Are linear models fitted target by target on few sources each, since a dense form would leave too much out?
    let isSparse: Bool
    let spectrumRank: Int
    /// The value of Choi et al. 2021's kind of model on MovieLens 1M; smaller ones were worse wherever tried.
    let nextItemRidge: Float
    /// Users an item must have to count for itself: some hundred, more where items have several hundred (Steck 2019).
    let easeRidge: Float
    let als: ImplicitALS
    /// Of all items; nil without metadata that tells items apart.
    let features: FeatureRows?
    /// Of the features, once `learnContent` was called.
    private(set) var content: ContentSpace?
    /// Of the regression on metadata.
    var contentRidge = ColdSelection.ridges[0]
    /// Kept for sorting vectors into inverted lists, where there are so many items and so much memory.
    let listBytes: Int
    /// What is left of the memory budget beside the data, the smallest blend and these.
    let freeBytes: Int
    private let shape: Shape
    /// Ingredients by name, nil for all.
    private let wanted: Set<String>?

    private struct Shape: Sendable {
        var items: Int
        var users: Int
        var events: Int
        var core: Int
    }

    /// - Parameter others: of the same items, whose features and content are taken over.
    init(_ matrix: InteractionMatrix, _ configuration: FitConfiguration, sharing others: BlendPlan? = nil) {
        let hasClock = configuration.favorsRecent && matrix.hasClock()
        self.hasClock = hasClock
        hasReturns = matrix.usersReturn
        hasShown = matrix.shown.count > 0
        let met = matrix.metItems().count { $0 }
        als = Self.als(matrix, configuration, met: met)
        let items = matrix.itemCount
        let events = matrix.eventCount
        let beside =
            configuration.memoryBudgetBytes - events * 60
            - BlendRecipe.memoryEstimate(items: items, users: matrix.userCount, events: events, configuration)
        let rank = (configuration.integer("spectrum_rank", 256) + 15) / 16 * 16
        spectrumRank = max(16, min(rank, min(met, matrix.userCount) / 4 / 16 * 16))
        let spectrum = Self.spectrumBytes(items: items, users: matrix.userCount, rank: spectrumRank)
        listBytes =
            items > configuration.listThreshold
            ? Self.listBytes(items: items, als.dimensions, spectrumRank, spectrumBytes: spectrum, beside, threads: configuration.threads)
            : 0
        let free = beside - listBytes
        freeBytes = free
        // A word takes 8 bytes as an entry, three times over while it is turned.
        let words = min(FeatureRows.wordTotal, max(0, free) / 64)
        features =
            others?.features
            ?? matrix.itemMetadata.map { FeatureRows($0, itemIDs: matrix.itemIDs, wordTotal: words) }.flatMap {
                $0.featureCount > 0 ? $0 : nil
            }
        content = others?.content
        coreLimit = Self.coreLimit(items: met, events: events, freeBytes: free - (hasClock ? Self.pairBytes(events) : 0))
        let (users, itemEvents) = matrix.popularity()
        let inside = ItemCore(users: users, limit: coreLimit)
        let covered = inside.items.reduce(0) { $0 + Double(itemEvents[Int($1)]) } / Double(max(1, events))
        isSparse = inside.count == coreLimit && coreLimit < met && covered < Self.denseCover
        let givenNext = Float(configuration.number("next_item_ridge", 0))
        nextItemRidge = givenNext > 0 ? givenNext : 300
        let givenEase = Float(configuration.number("ease_ridge", 0))
        let density = Float(events) / Float(max(1, inside.count))
        easeRidge = givenEase > 0 ? givenEase : max(120, min(500, density))
        shape = Shape(items: items, users: matrix.userCount, events: events, core: inside.count)
        wanted = configuration.words("ingredients")
    }

    /// What parts need to be opened, beside their sections.
    var openingProperties: [String: String] {
        [
            "unobserved_weight": "\(als.unobservedWeight)", "regularization": "\(als.regularization)",
            "regularization_exponent": "\(als.regularizationExponent)",
        ]
    }

    /// Looks for what items' metadata has in common, once for all splits of the events.
    mutating func learnContent(_ configuration: FitConfiguration, _ span: ProgressSpan, log: inout [String]) throws(FitError) {
        guard let features, content == nil else { return }
        guard ContentSpace.peakBytes(features) <= freeBytes else {
            log.append("Items' metadata is not used: comparing \(features.rows.rowCount) items would not fit the memory budget.")
            return
        }
        try span.reporter.step(span.start, "Comparing items by metadata")
        let space = try ContentSpace(features, seed: configuration.seed, threads: configuration.threads, span)
        content = space
        var sentence = "Metadata: \(features.featureCount) features of \(space.itemCount) items in \(space.rank) dimensions"
        if features.featureCount > space.featureCount { sentence += ", the \(space.featureCount) commonest of them" }
        if let limit = features.wordsLeft {
            sentence += "; of a text with more words the \(limit) rarest count, for there are so many items"
        }
        log.append(sentence + ".")
    }

    /// What can be tried, and why the others are not, for people.
    func ingredients(_ log: inout [String]) -> [Ingredient] {
        Ingredient.forRelevance.filter { ingredient in
            guard let why = obstacle(ingredient) else { return true }
            if ingredient.isContent, content == nil { return false }
            if ingredient == .choices, !hasShown { return false }
            log.append("Not tried, \(ingredient.title): \(why).")
            return false
        }
    }

    /// Why an ingredient cannot be fitted beside `held` bytes of others; nil when it can.
    func obstacle(_ ingredient: Ingredient, beside held: Int = 0) -> String? {
        if let wanted, !wanted.contains(ingredient.rawValue) { return "the parameter ingredients leaves it out" }
        if ingredient.isContent, content == nil { return "no metadata tells items apart" }
        if ingredient == .choices, !hasShown { return "the data does not tell what was shown" }
        if ingredient.needsClock, !hasClock { return "the data tells no order of events" }
        if ingredient == .returns, !hasReturns { return "users hardly ever come back to items" }
        if ingredient == .ease, isSparse, !hasClock {
            // A hold-out drawn from among the other events chose it with more weight than later events bore out.
            return "in a catalog of this size a hold-out without a clock does not tell what it foresees"
        }
        if peakBytes(ingredient) > freeBytes - held { return "it would not fit the memory budget" }
        return nil
    }

    /// What fitting takes at most.
    private func peakBytes(_ ingredient: Ingredient) -> Int {
        let neighborLists = shape.items * NeighborLists.limit(itemCount: shape.items) * 16
        switch ingredient {
        case .nextItem, .ease:
            let pairs = ingredient == .nextItem ? Self.pairBytes(shape.events) : shape.events * 24
            let head = ingredient == .ease ? min(shape.core, EaseFit.headItems) : 0
            if isSparse { return pairs + gramBytes / 4 + shape.items * Self.neighbors * 16 + head * head * 24 }
            let limit = ingredient == .ease ? EaseFit.limit(items: shape.core) * 3 : WeightRows.limit(itemCount: shape.items)
            return shape.core * shape.core * 8 + shape.core * min(shape.core, limit) * 16
        case .graph: return WeightRows.bytes(items: shape.items)
        case .spectrum, .sharpening: return Self.spectrumBytes(items: shape.items, users: shape.users, rank: spectrumRank)
        case .successors, .steps: return neighborLists
        case .neighbors: return shape.events * 16 + min(shape.events, NeighborFit.maximumEntries) * 48
        // In the estimate of the smallest blend.
        case .factors, .popularity, .choices, .returns, .contentLevel, .objective: return 0
        case .content: return shape.items * (content?.rank ?? 0) * 14
        case .contentGraph: return (shape.items + shape.users) * Self.foretoldRank * 12
        case .likenessGraph: return shape.events * 36 + shape.items * contentSources(of: shape.items) * 32
        case .likeness: return shape.items * contentSources(of: shape.items) * 32
        }
    }

    private static func spectrumBytes(items: Int, users: Int, rank: Int) -> Int { (items + users) * rank * 12 }

    /// For the lists of all parts with vectors that fit into what is left, the smallest first; 0 when none does.
    private static func listBytes(
        items: Int, _ factors: Int, _ spectrum: Int, spectrumBytes: Int, _ left: Int, threads: Int
    ) -> Int {
        let one = InvertedListsFit.peakBytes(items: items, dimensions: factors, threads: threads)
        let both = one + InvertedListsFit.peakBytes(items: items, dimensions: spectrum, threads: threads)
        return both + spectrumBytes <= left ? both : one <= left ? one : 0
    }

    /// Room for the products of a sparse form, of which a quarter must be there for it to be tried.
    var gramBytes: Int { max(0, freeBytes) / 4 }

    /// How many sources each of so many items keeps of what metadata tells.
    func contentSources(of targets: Int) -> Int { max(8, min(50, Self.contentWeights / max(1, targets))) }

    /// What likeness may have in a model file, at eight bytes each.
    private static let contentWeights = 2_500_000

    /// A dense form must cover this share of the events to be preferred to the sparse one.
    static let denseCover = 0.98

    /// Dimensions of the item graph that metadata can tell: half and twice as many changed NDCG by two hundredths, up or down.
    static let foretoldRank = 64

    /// Two dense matrices of n x n must fit, and 3 n^3 operations must stay in proportion to the data: a million for
    /// each of the first million events, a tenth of that for each further one, so that ten million take some 20 s.
    static func coreLimit(items: Int, events: Int, freeBytes: Int) -> Int {
        let byMemory = Int((Double(max(0, freeBytes)) * 0.8 / 8).squareRoot())
        let operations = 5e10 + 1e6 * Double(min(events, 1_000_000)) + 1e5 * Double(max(0, events - 1_000_000))
        let byTime = Int(cbrt(operations / 3))
        return max(1, min(items, byMemory, byTime, 20_000))
    }

    /// Sources per target of the sparse form: three times as many changed NDCG by less than a hundredth and took three times
    /// as long.
    static let neighbors = 64

    /// Sources and targets of the next-item model, and their transposes.
    static func pairBytes(_ events: Int) -> Int { min(events, NextItemFit.maximumPositions) * (20 * 24 + 3 * 12) }

    /// Where nothing is given, the unobserved pairs of a user weigh some 16 times the observed ones, and regularization
    /// falls with the length of histories: between the values that Rendle et al. 2022 found for MovieLens 20M (0.1, 0.003)
    /// and the Million Song Dataset (0.02, 0.002).
    private static func als(_ matrix: InteractionMatrix, _ configuration: FitConfiguration, met: Int) -> ImplicitALS {
        let perUser = Float(matrix.eventCount) / Float(max(1, matrix.userCount))
        let unobserved = Float(configuration.number("unobserved_weight", 0))
        let regularization = Float(configuration.number("regularization", 0))
        return ImplicitALS(
            dimensions: (configuration.factorCount + 15) / 16 * 16, iterations: configuration.integer("iterations", 8),
            unobservedWeight: unobserved > 0 ? unobserved : max(0.003, min(0.3, 16 * perUser / Float(max(1, met)))),
            regularization: regularization > 0 ? regularization : max(0.002, min(0.02, 0.3 / perUser)),
            regularizationExponent: Float(configuration.number("regularization_exponent", 1)),
            seed: configuration.seed, threads: configuration.threads)
    }
}

extension InteractionMatrix {
    /// Do timestamps tell the order of a user's events? Not when nearly all of them are the same.
    func hasClock() -> Bool {
        var pairs = 0
        var steps = 0
        for user in 0..<userCount {
            for position in offsets[user]..<offsets[user + 1] where position > offsets[user] {
                pairs += 1
                if timestamps[position] != timestamps[position - 1] { steps += 1 }
            }
        }
        return pairs > 0 && Double(steps) >= 0.1 * Double(pairs) && Set(timestamps.prefix(100_000)).count > 10
    }
}
