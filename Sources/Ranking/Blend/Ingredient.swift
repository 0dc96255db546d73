/// What a blend can be made of.
enum Ingredient: String, CaseIterable, Sendable {
    case nextItem = "next-item"
    case ease
    case graph
    case spectrum
    case sharpening
    case successors
    case steps = "next-steps"
    case returns
    case neighbors
    case factors
    case popularity
    /// How readily what is shown is chosen.
    case choices
    case content
    case likeness
    case contentLevel = "content-level"
    case contentGraph = "content-graph"
    case likenessGraph = "likeness-graph"
    /// An attribute of items that is asked for beside relevance; never chosen for relevance's sake.
    case objective

    /// What a blend may be chosen from.
    static let forRelevance = allCases.filter { $0 != .objective }

    /// For people.
    var title: String {
        switch self {
        case .nextItem: "linear next-item model"
        case .ease: "linear item-item model (EASE)"
        case .graph: "item graph (GF-CF)"
        case .spectrum: "item graph's spectrum (GF-CF)"
        case .sharpening: "sharpening of the item graph (BSPM)"
        case .successors: "what follows what"
        case .steps: "what follows at once"
        case .returns: "what people come back to"
        case .neighbors: "whose histories are alike"
        case .factors: "implicit ALS"
        case .popularity: "recent popularity"
        case .choices: "choices among what was shown"
        case .content: "regression on metadata"
        case .likeness: "likeness of metadata"
        case .contentLevel: "popularity by metadata"
        case .contentGraph: "item graph foretold from metadata"
        case .likenessGraph: "item graph of what is alike"
        case .objective: "objective"
        }
    }

    /// Does it learn from the order of events?
    var needsClock: Bool { [.nextItem, .successors, .steps, .returns, .neighbors].contains(self) }

    /// Whose sections it reads: what sharpens the graph stands on the graph's spectrum.
    var sectionsOf: Ingredient { self == .sharpening ? .spectrum : self }

    /// Does it say nothing alone, but what is to be taken back from others?
    var corrects: Bool { self == .sharpening }

    /// Of the ways to read a history, those that are worth trying: what corrects others cannot be judged alone.
    func rules(_ all: [SourceRule]) -> [SourceRule] { corrects ? Array(all.prefix(1)) : all }

    /// Does it know items that nobody met?
    var isContent: Bool { [.content, .likeness, .contentLevel, .contentGraph, .likenessGraph].contains(self) }

    /// Is it what another ingredient says, but for items that nobody met?
    var isForColdAlone: Bool { self == .contentGraph || self == .likenessGraph }

    /// Opens a fitted part from the sections under a prefix.
    func open(
        _ file: ModelFile, prefix: String, rule: SourceRule, itemCount: Int, properties: [String: String]
    ) throws(ModelError) -> any BlendPart {
        switch self {
        // Of the regression, files of former versions hold weights between items.
        case .content where file.section("\(prefix).factors") == nil:
            return LinearPart(itemCount: itemCount, weights: try file.lists(prefix, itemCount: itemCount), rule: rule)
        case .nextItem, .ease, .graph, .successors, .steps, .returns, .likeness, .likenessGraph:
            return LinearPart(itemCount: itemCount, weights: try file.lists(prefix, itemCount: itemCount), rule: rule)
        case .neighbors:
            let pieces = (file.section("\(prefix).pieces.offsets")?.rows ?? 1) - 1
            return NeighborPart(
                itemCount: itemCount, byItem: try file.lists(prefix, itemCount: itemCount),
                pieces: try file.lists("\(prefix).pieces", itemCount: max(0, pieces)), rule: rule)
        case .spectrum, .content, .contentGraph:
            let vectors = try ItemVectors(opening: file, prefix: prefix, itemCount: itemCount)
            return SpectrumPart(
                vectors: vectors, sourceScales: try file.floats("\(prefix).sources", count: itemCount), rule: rule)
        case .sharpening: return try SharpeningPart(opening: file, prefix: prefix, rule: rule, itemCount: itemCount)
        case .factors:
            let vectors = try ItemVectors(opening: file, prefix: prefix, itemCount: itemCount)
            func number(_ name: String) throws(ModelError) -> Float {
                guard let number = properties[name].flatMap(Float.init), number.isFinite else {
                    throw .damaged("property \(name) is missing")
                }
                return number
            }
            let als = ImplicitALS(
                dimensions: vectors.dimensions, iterations: 0, unobservedWeight: try number("unobserved_weight"),
                regularization: try number("regularization"),
                regularizationExponent: try number("regularization_exponent"), seed: 0, threads: 1)
            return FactorPart(vectors: vectors, als: als)
        case .popularity, .choices, .contentLevel, .objective:
            return PopularityPart(levels: try file.floats("\(prefix).levels", count: itemCount))
        }
    }
}
