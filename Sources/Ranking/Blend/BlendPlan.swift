import Foundation

/// What can be tried on data of this shape, decided before anything is fitted.
struct BlendPlan: Sendable {
    let hasClock: Bool
    /// Items that dense forms may take in.
    let coreLimit: Int
    let spectrumRank: Int
    let nextItemRidge: Float
    let easeRidge: Float
    let als: ImplicitALS
    /// Of all items; nil without metadata that tells items apart.
    let features: FeatureRows?
    /// Features that the ridge on metadata takes in.
    let featureLimit: Int
    /// Of the regression on metadata.
    var contentRidge = ColdSelection.ridges[0]
    let ingredients: [Ingredient]
    /// Why something is not tried, for people.
    let skipped: [String]

    init(_ matrix: InteractionMatrix, _ configuration: FitConfiguration) {
        let hasClock = configuration.favorsRecent && matrix.hasClock()
        self.hasClock = hasClock
        let isMet = matrix.metItems()
        let met = isMet.count { $0 }
        als = Self.als(matrix, configuration, met: met)
        let items = matrix.itemCount
        let features = matrix.itemMetadata.map { FeatureRows($0, itemIDs: matrix.itemIDs) }.flatMap { $0.featureCount > 0 ? $0 : nil }
        self.features = features
        let events = matrix.eventCount
        let free =
            configuration.memoryBudgetBytes - events * 60
            - BlendRecipe.memoryEstimate(items: items, users: matrix.userCount, events: events, configuration)
        let core = Self.coreLimit(items: items, events: events, freeBytes: free - (hasClock ? Self.pairBytes(events) : 0))
        coreLimit = core
        featureLimit = Self.coreLimit(items: features?.featureCount ?? 0, events: events, freeBytes: free)
        let rank = Int(configuration.number("spectrum_rank", 256))
        spectrumRank = max(16, min(rank, (min(met, matrix.userCount) / 4 + 15) / 16 * 16))
        let (users, itemEvents) = matrix.popularity()
        let inside = ItemCore(users: users, limit: core)
        let covered = inside.items.reduce(0) { $0 + Double(itemEvents[Int($1)]) } / Double(max(1, events))
        let density = Float(events) / Float(max(1, inside.count))
        let givenNext = Float(configuration.number("next_item_ridge", 0))
        nextItemRidge = givenNext > 0 ? givenNext : max(20, min(300, density))
        let givenEase = Float(configuration.number("ease_ridge", 0))
        easeRidge = givenEase > 0 ? givenEase : max(20, min(300, density))

        var ingredients: [Ingredient] = []
        var skipped: [String] = []
        for ingredient in Ingredient.allCases {
            if ingredient.isContent, features == nil { continue }
            if ingredient.needsClock, !hasClock {
                skipped.append("\(ingredient.title): the data tells no order of events")
            } else if ingredient == .nextItem || ingredient == .ease, covered < 0.6 {
                skipped.append("\(ingredient.title): its \(inside.count) items would cover \(Int(covered * 100)) % of the events")
            } else if ingredient == .successors, covered >= 0.98 {
                skipped.append("\(ingredient.title): the linear next-item model covers it")
            } else if ingredient == .graph, free < WeightRows.bytes(items: items) {
                skipped.append("\(ingredient.title): its weights would not fit the memory budget")
            } else if ingredient == .spectrum, free < (items + matrix.userCount) * spectrumRank * 12 {
                skipped.append("\(ingredient.title): its vectors would not fit the memory budget")
            } else {
                ingredients.append(ingredient)
            }
        }
        self.ingredients = ingredients
        self.skipped = skipped
    }

    /// Two dense matrices of n x n must fit, and 3 n^3 operations must stay in proportion to the data.
    static func coreLimit(items: Int, events: Int, freeBytes: Int) -> Int {
        let byMemory = Int((Double(max(0, freeBytes)) * 0.8 / 8).squareRoot())
        let byTime = Int(cbrt((5e10 + 1e6 * Double(events)) / 3))
        return max(1, min(items, byMemory, byTime, 20_000))
    }

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
