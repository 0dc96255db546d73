import Synchronization

@testable import Ranking

/// Interactions of one structure each, whose right answers are known.
enum PlantedStructure {
    /// Everybody walks along one ring of items from a place of their own: what comes next is the next item.
    static let ringItems: Int32 = 60

    static func ring() -> TrainingData {
        var data = TrainingData(eventTypeNames: ["view"])
        for step in 0..<8 as Range<Int32> {
            for user in 0..<240 as Range<Int32> {
                data.append(
                    user: user, item: (user * 7 + step) % ringItems, eventType: 0, timestamp: Int64(step) * 1000 + Int64(user))
            }
        }
        return data
    }

    static let driftBlocks: Int32 = 4
    static let driftItems: Int32 = 20

    /// Tastes move: who was in one block of items goes on to the next one and stays there.
    static func drift() -> TrainingData {
        var random = Xorshift(state: 0x9E37_79B9)
        var data = TrainingData(eventTypeNames: ["view"])
        for step in 0..<14 as Range<Int32> {
            for user in 0..<160 as Range<Int32> {
                let block = (user + (step < 7 ? 0 : 1)) % driftBlocks
                data.append(
                    user: user, item: block * driftItems + Int32(random.below(Int(driftItems))), eventType: 0,
                    timestamp: Int64(step) * 5000 + Int64(user))
            }
        }
        return data
    }

    /// Pairs of items that the same users met, so that nothing tells them apart but their numbers.
    static func twins() -> TrainingData {
        var data = TrainingData(eventTypeNames: ["view"])
        for user in 0..<60 as Range<Int32> {
            for pair in 0..<4 as Range<Int32> {
                let item = (user % 3) * 10 + (user + pair) % 5 * 2
                for twin in [item, item + 1] { data.append(user: user, item: twin, eventType: 0, timestamp: Int64(pair)) }
            }
        }
        return data
    }
}

extension RecipeName {
    /// Answers differ by what the user did.
    var isPersonal: Bool {
        ["USER_PERSONALIZATION", "PERSONALIZED_RANKING"].contains(description.recipeType) && description.usesHistory
    }
    /// Answers differ by the item that is asked about.
    var isRelated: Bool { description.recipeType == "RELATED_ITEMS" }
    /// Answers are counts, the same for everybody.
    var isCounting: Bool { !isPersonal && !isRelated && description.needs.isEmpty }

    static let personal = fits.filter(\.isPersonal)
    static let related = fits.filter(\.isRelated)
    static let counting = fits.filter(\.isCounting)

    /// One recipe for each family of algorithms, for what costs much.
    static let families: [RecipeName] = {
        var seen = Set<ObjectIdentifier>()
        return fits.filter { seen.insert(ObjectIdentifier($0.family)).inserted }
    }()
}

extension PlantedData {
    /// The same with what describes the items: their block as a category, and as a word of a title.
    func described() -> TrainingData {
        var data = training()
        let blocks = (0..<itemCount).map { block(ofItem: Int32($0)) }
        var categories = CategoryLists()
        for block in blocks { categories.append(["block \(block)"]) }
        let words = ["harbour", "flour", "engine", "orbit", "trap"]
        let titles = blocks.enumerated().map { "The \(words[$1 % words.count]) of number \($0)" }
        data.itemMetadata = MetadataTable(
            ids: (0..<Int32(itemCount)).map { $0 },
            columns: [
                MetadataColumn(name: "GENRES", values: .categories(categories)), MetadataColumn(name: "TITLE", values: .texts(titles)),
                MetadataColumn(name: "PRICE", values: .numbers(blocks.map { $0 == 2 ? .nan : Float($0) })),
            ])
        return data
    }
}

/// Fits that many tests ask about, each made once.
enum KeptFits {
    private static let fits = Mutex<[String: FittedModel]>([:])

    static func fitted(_ name: String, _ recipe: RecipeName, _ make: () throws -> FittedModel) throws -> FittedModel {
        try fits.withLock { kept in
            let key = "\(name) \(recipe.rawValue)"
            if let fitted = kept[key] { return fitted }
            let fitted = try make()
            kept[key] = fitted
            return fitted
        }
    }

    static func model(_ name: String, _ recipe: RecipeName, _ data: () -> TrainingData) throws -> Model {
        try fitted(name, recipe) { try fit(data(), FitConfiguration(recipe: recipe)) }.opened()
    }
}
