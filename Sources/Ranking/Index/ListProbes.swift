/// How many inverted lists a query reads, by how many of the best rows it needs.
struct ListProbes: Sendable, Equatable {
    struct Step: Sendable, Equatable {
        /// Of the best rows, so many are found.
        var depth: Int
        var lists: Int
    }

    /// By rising depth.
    let steps: [Step]

    static let property = "lists.probes"

    init(steps: [Step]) { self.steps = steps }

    /// From `depth:lists depth:lists …` as a model's properties hold it; nil without the property.
    init?(_ properties: [String: String]) throws(ModelError) {
        guard let text = properties[Self.property] else { return nil }
        var steps: [Step] = []
        for word in text.split(separator: " ") {
            let numbers = word.split(separator: ":").compactMap { Int($0) }
            guard numbers.count == 2, numbers[0] > steps.last?.depth ?? 0, numbers[1] > 0 else {
                throw .damaged("property \(Self.property) is not readable")
            }
            steps.append(Step(depth: numbers[0], lists: numbers[1]))
        }
        guard !steps.isEmpty else { throw .damaged("property \(Self.property) is empty") }
        self.steps = steps
    }

    var text: String { steps.map { "\($0.depth):\($0.lists)" }.joined(separator: " ") }

    /// Nil when it was not measured how many lists find so many.
    func lists(depth: Double) -> Int? { steps.first { Double($0.depth) >= depth }?.lists }
}
