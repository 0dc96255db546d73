import Ranking

extension TuningPlan {
    /// Reads the contract's `hpoConfig`. `hpoObjective` is accepted and ignored: the objective is NDCG on held-out users.
    init(_ config: InputMembers, recipe: RecipeName) throws(OperationError) {
        self.init(space: SearchSpace(allOf: recipe))
        if let resources = try config.members("hpoResourceConfig") {
            if let limit = try Self.count("maxNumberOfTrainingJobs", 1...40, resources) { trialLimit = limit }
            if let limit = try Self.count("maxParallelTrainingJobs", 1...10, resources) { parallelTrials = limit }
        }
        if let ranges = try config.members("algorithmHyperParameterRanges") { space = try SearchSpace(ranges, recipe: recipe) }
    }

    private static func count(_ name: String, _ range: ClosedRange<Int>, _ members: InputMembers) throws(OperationError) -> Int? {
        guard let text = try members.string(name, length: 0...256) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .invalidInput(
                "'\(text)' at '\(members.fullName(name))' must be a whole number from \(range.lowerBound) to \(range.upperBound).",
                field: members.fullName(name))
        }
        return number
    }
}

extension SearchSpace {
    /// Reads `algorithmHyperParameterRanges`. The three lists must be there, and may be empty; every range must lie within what the recipe
    /// allows for a parameter of that kind.
    init(_ ranges: InputMembers, recipe: RecipeName) throws(OperationError) {
        self.init([])
        for kind in RangeKind.allCases {
            let entries = try Check.required(try ranges.list(kind.rawValue, count: 0...100), field: ranges.fullName(kind.rawValue))
            for entry in entries { try append(entry, kind, recipe) }
        }
    }

    private enum RangeKind: String, CaseIterable {
        case integer = "integerHyperParameterRanges"
        case continuous = "continuousHyperParameterRanges"
        case categorical = "categoricalHyperParameterRanges"
    }

    private mutating func append(_ range: InputMembers, _ kind: RangeKind, _ recipe: RecipeName) throws(OperationError) {
        let field = range.fullName("name")
        let given = try Check.required(try range.string("name", length: 0...256), field: field)
        let name = given.split(separator: ".").last.map(String.init) ?? given
        guard let parameter = recipe.description.hyperparameters.first(where: { $0.name == name }), parameter.isTunable else {
            throw .invalidInput("'\(given)' is not a tunable hyperparameter of \(recipe.rawValue).", field: field)
        }
        if dimensions.contains(where: { $0.name == name }) { throw .invalidInput("'\(given)' has two ranges.", field: field) }
        dimensions.append(Dimension(name: name, values: try Self.values(range, kind, parameter)))
    }

    private static func values(_ range: InputMembers, _ kind: RangeKind, _ parameter: RecipeParameter) throws(OperationError) -> Values {
        switch (kind, parameter.range) {
        case (.categorical, _): return try choice(range, parameter)
        case (.integer, .integer(let allowed)):
            let (low, high) = try bounds(range)
            guard let low = Int(exactly: low), let high = Int(exactly: high), low <= high, allowed.contains(low), allowed.contains(high)
            else { throw outside(parameter, range) }
            return .integer(low...high)
        case (.continuous, .number(let allowed)):
            let (low, high) = try bounds(range)
            guard low <= high, allowed.contains(low), allowed.contains(high) else { throw outside(parameter, range) }
            return .number(low...high)
        default:
            throw .invalidInput("\(parameter.name) does not belong into \(kind.rawValue).", field: range.fullName("name"))
        }
    }

    private static func choice(_ range: InputMembers, _ parameter: RecipeParameter) throws(OperationError) -> Values {
        let values = try range.strings("values", count: 0...100) ?? []
        for value in values {
            try Check.length(value, 0...1000, field: range.fullName("values"))
            if let refusal = parameter.refusal(of: value) {
                throw .invalidInput("\(parameter.name) \(refusal).", field: range.fullName("values"))
            }
        }
        guard !values.isEmpty else { throw .invalidInput("\(parameter.name) has no values.", field: range.fullName("values")) }
        return .choice(values)
    }

    private static func bounds(_ range: InputMembers) throws(OperationError) -> (Double, Double) {
        let limits = -1_000_000.0...1_000_000.0
        let low = try Check.required(try range.double("minValue"), field: range.fullName("minValue"))
        let high = try Check.required(try range.double("maxValue"), field: range.fullName("maxValue"))
        try Check.range(low, limits, field: range.fullName("minValue"))
        try Check.range(high, limits, field: range.fullName("maxValue"))
        return (low, high)
    }

    private static func outside(_ parameter: RecipeParameter, _ range: InputMembers) -> OperationError {
        .invalidInput("The range of \(parameter.name) is not within what the recipe allows.", field: range.fullName("minValue"))
    }
}
