/// What a search for hyperparameters may vary, by bare names: the contract's `algorithmHyperParameterRanges`.
public struct SearchSpace: Sendable, Equatable {
    public enum Values: Sendable, Equatable {
        case integer(ClosedRange<Int>)
        case number(ClosedRange<Double>)
        /// At least one.
        case choice([String])
    }

    public struct Dimension: Sendable, Equatable {
        public var name: String
        public var values: Values

        public init(name: String, values: Values) {
            self.name = name
            self.values = values
        }
    }

    public var dimensions: [Dimension]

    public init(_ dimensions: [Dimension]) { self.dimensions = dimensions }

    /// Every tunable parameter of a recipe over all that it allows.
    public init(allOf recipe: RecipeName) {
        dimensions = recipe.description.hyperparameters.filter(\.isTunable).map { parameter in
            switch parameter.range {
            case .integer(let range): Dimension(name: parameter.name, values: .integer(range))
            case .number(let range): Dimension(name: parameter.name, values: .number(range))
            case .boolean: Dimension(name: parameter.name, values: .choice(["true", "false"]))
            case .choice(let values), .words(let values): Dimension(name: parameter.name, values: .choice(values))
            }
        }
    }

    /// Accepted for the contract's sake and without effect on our models: to search them would fit equal models again and again.
    static let withoutEffect: Set<String> = ["bptt"]

    /// The dimensions that change a model.
    var effective: SearchSpace { SearchSpace(dimensions.filter { !Self.withoutEffect.contains($0.name) }) }

    /// How many different settings there are, at most `limit`.
    func count(upTo limit: Int) -> Int {
        var product = 1
        for dimension in dimensions {
            let count =
                switch dimension.values {
                case .integer(let range): range.upperBound - range.lowerBound + 1
                case .number(let range): range.lowerBound == range.upperBound ? 1 : limit
                case .choice(let values): Set(values).count
                }
            let (next, overflow) = product.multipliedReportingOverflow(by: count)
            if overflow || next >= limit { return limit }
            product = next
        }
        return product
    }

    /// One setting, every value equally likely.
    func draw(_ random: inout RandomSource) -> [String: String] {
        var setting: [String: String] = [:]
        for dimension in dimensions {
            switch dimension.values {
            case .integer(let range): setting[dimension.name] = "\(Int.random(in: range, using: &random))"
            case .number(let range): setting[dimension.name] = "\(Double.random(in: range, using: &random))"
            case .choice(let values): setting[dimension.name] = values[Int(random.next() % UInt64(values.count))]
            }
        }
        return setting
    }

    /// The setting nearest to the recipe's defaults.
    func nearest(to recipe: RecipeName) -> [String: String] {
        var setting: [String: String] = [:]
        for dimension in dimensions {
            let normal = recipe.description.hyperparameters.first { $0.name == dimension.name }?.defaultValue ?? ""
            switch dimension.values {
            case .integer(let range): setting[dimension.name] = "\((Int(normal) ?? range.lowerBound).clamped(to: range))"
            case .number(let range): setting[dimension.name] = "\((Double(normal) ?? range.lowerBound).clamped(to: range))"
            case .choice(let values): setting[dimension.name] = values.first { $0.lowercased() == normal } ?? values[0]
            }
        }
        return setting
    }
}

extension Comparable {
    fileprivate func clamped(to range: ClosedRange<Self>) -> Self { min(max(self, range.lowerBound), range.upperBound) }
}
