import JSON
import Tastemaker

/// What a training told of itself, as its page reads it.
struct VersionReport {
    struct Part {
        /// By the name that the model file has for it.
        let name: String
        /// Of all weights, 0 to 1; nil for a part that was left out.
        let share: Double?
        /// The same for people who come back after a pause; nil where they are not told apart.
        var returnShare: Double?
        /// Validation NDCG@10 of the part alone, and of the blend without it.
        let alone: Double?
        let without: Double?
    }

    struct Tenth {
        let listed: Double
        let met: Double
    }

    /// What reading inverted lists finds, by how many items are wanted.
    struct ListReading {
        let depth: Int
        let lists: Int
        /// Of the best items, and of all items; 0 to 1.
        let found: Double
        let read: Double
    }

    let chosen: [Part]
    let leftOut: [Part]
    /// The blend while it is put together, part by part: validation NDCG@10.
    let curve: [(part: String, quality: Double)]
    /// What a fit by rounds minimizes, after each round.
    let losses: [Double]
    let quality: Double?
    let validationUsers: Int?
    let figures: [String: Double]
    let figureUsers: Int
    let tenths: [Tenth]
    let log: [String]
    /// Empty where every item is looked at.
    let listReadings: [ListReading]
    let listCount: Int

    init(_ report: JSONValue?) {
        let properties = report?["properties"]
        func text(_ name: String) -> String? { properties?[name]?.stringValue }
        func number(_ name: String) -> Double? { text(name).flatMap { Double($0) } }
        var mixed: [(name: String, weight: Double, returning: Double)] = []
        var place = 0
        while let name = text("blend.\(place)") {
            let weight = number("blend.\(place).weight") ?? 0
            let returning = number("blend.\(place).return_weight") ?? weight
            place += 1
            // What weighs nothing orders new items alone.
            guard weight > 0 || returning > 0 else { continue }
            // A part may be there twice, reading a history in two ways.
            if let known = mixed.firstIndex(where: { $0.name == name }) {
                mixed[known].weight += weight
                mixed[known].returning += returning
            } else {
                mixed.append((name, weight, returning))
            }
        }
        let total = mixed.reduce(0) { $0 + $1.weight }
        let all = mixed.reduce(0) { $0 + $1.returning }
        let tellsReturns = mixed.contains { $0.weight != $0.returning }
        chosen = mixed.map { name, weight, returning in
            Part(
                name: name, share: total > 0 ? weight / total : 0, returnShare: tellsReturns && all > 0 ? returning / all : nil,
                alone: number("tried.\(name)"), without: number("without.\(name)"))
        }.sorted { ($1.share ?? 0, $1.returnShare ?? 0) < ($0.share ?? 0, $0.returnShare ?? 0) }
        let members = properties?.objectValue?.members ?? []
        leftOut = members.compactMap { member in
            guard member.name.hasPrefix("tried.") else { return nil }
            let name = String(member.name.dropFirst(6))
            return mixed.contains { $0.name == name } ? nil : Part(name: name, share: nil, alone: number(member.name), without: nil)
        }.sorted { ($1.alone ?? 0) < ($0.alone ?? 0) }
        var curve: [(part: String, quality: Double)] = []
        while let step = text("curve.\(curve.count)")?.split(separator: " "), step.count == 2, let quality = Double(step[1]) {
            curve.append((String(step[0]), quality))
        }
        self.curve = curve
        losses = text("losses.factors")?.split(separator: " ").compactMap { Double($0) } ?? []
        quality = number("blend.validation_ndcg_at_10")
        validationUsers = text("blend.validation_users").flatMap { Int($0) }
        let figures = report?["figures"]
        var values: [String: Double] = [:]
        for member in figures?["values"]?.objectValue?.members ?? [] { values[member.name] = member.value.doubleValue }
        self.figures = values
        figureUsers = Int(figures?["users"]?.intValue ?? 0)
        tenths = (figures?["tenths"]?.arrayValue ?? []).compactMap { tenth in
            guard let listed = tenth["listed"]?.doubleValue, let met = tenth["met"]?.doubleValue else { return nil }
            return Tenth(listed: listed, met: met)
        }
        listCount = text("lists.count").flatMap { Int($0) } ?? 0
        listReadings = (text("lists.probes") ?? "").split(separator: " ").compactMap { step in
            let numbers = step.split(separator: ":").compactMap { Int($0) }
            guard numbers.count == 2, let found = number("lists.recall_at_\(numbers[0])"),
                let read = number("lists.share_at_\(numbers[0])")
            else { return nil }
            return ListReading(depth: numbers[0], lists: numbers[1], found: found, read: read)
        }
        log = report?["log"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    /// Models that were not even tried, and why.
    var notTried: [String] {
        log.compactMap { $0.hasPrefix("Not tried, ") ? String($0.dropFirst(11)) : nil }
    }
}

/// The parts of a blend in the words of people.
enum PartText {
    static func title(_ name: String) -> String {
        switch name {
        case "next-item": "What comes next"
        case "ease": "Chosen together"
        case "graph": "Neighbours in the item graph"
        case "spectrum": "Broad tastes"
        case "sharpening": "Less of what everybody gets"
        case "successors": "What follows what"
        case "factors": "Taste vectors"
        case "popularity": "Popular now"
        case "choices": "Chosen when shown"
        case "next-steps": "What follows at once"
        case "returns": "What people come back to"
        case "neighbors": "Whose histories are alike"
        case "content": "Chosen by description"
        case "likeness": "Alike by description"
        case "content-level": "Popular kinds"
        case "content-graph": "Broad tastes by description"
        case "likeness-graph": "What goes with items described alike"
        case "objective": "The objective"
        default: name
        }
    }

    static func meaning(_ name: String) -> String {
        switch name {
        case "next-item": "which items follow the last ones that somebody met (linear next-item model)"
        case "ease": "which items the same people choose, learned for all pairs at once (EASE)"
        case "graph": "items that share many people, popular ones discounted (GF-CF)"
        case "spectrum": "the strongest common patterns of who meets what (GF-CF, low rank)"
        case "sharpening": "takes back from the item graph what it says to everybody (BSPM)"
        case "successors": "counts of which item directly follows another"
        case "factors": "a short vector for each item and each taste (implicit ALS)"
        case "popularity": "what many people met lately"
        case "choices": "how readily an item is chosen by those who see it, whatever stands beside it"
        case "next-steps": "which item follows the newest one directly"
        case "returns": "items that the same person chooses again"
        case "neighbors": "what people met whose lately chosen items overlap most (nearest neighbors)"
        case "content": "which words and categories people with such a history choose (regression on metadata)"
        case "likeness": "items with a similar title, text and category"
        case "content-level": "how popular items with such words and categories are"
        case "likeness-graph": "for items that nobody met, what goes with the items whose words and categories are most like theirs"
        case "content-graph": "for items that nobody met, the common patterns that such words and categories have"
        case "objective": "the attribute that the solution is to favour"
        default: ""
        }
    }
}
