import Feeds
import Foundation
import JSON
import Ranking

/// What the contract's `solutionConfig` says, read and checked. The stored document is echoed as it was given; this is its meaning.
struct SolutionConfig: Sendable {
    /// Only events with at least this value are learnt from.
    var eventValueThreshold: Double?
    var hyperparameters: [String: String] = [:]
    var featurization: [String: String] = [:]
    /// When not empty, only these event types are learnt from.
    var eventWeights: [FitConfiguration.EventWeight] = []
    /// Days between automatic trainings, 1 to 30.
    var trainingIntervalDays = SolutionConfig.defaultIntervalDays

    static let defaultIntervalDays = 7

    /// No configuration given.
    init() {}

    /// Reads a stored document, or one from outside. `recipe` decides which parameters exist; `schemas` which columns.
    init(_ json: JSONValue?, recipe: RecipeName, schemas: [DatasetType: AvroSchema] = [:]) throws(OperationError) {
        guard let json, !json.isNull else { return }
        guard let object = json.objectValue else { throw .invalidInput("solutionConfig must be an object.", field: "solutionConfig") }
        let members = InputMembers(object, path: "solutionConfig")
        eventValueThreshold = try SolutionConfig.threshold(members)
        hyperparameters = try members.map("algorithmHyperParameters") ?? [:]
        featurization = try members.map("featureTransformationParameters") ?? [:]
        try readEvents(members)
        try readSchedule(members)
        try SolutionConfig.checkOptimization(members, recipe: recipe)
        try SolutionConfig.checkTrainingData(members, schemas: schemas)
        try checkFit(recipe)
    }

    func fitConfiguration(recipe: RecipeName, eventType: String?) -> FitConfiguration {
        FitConfiguration(
            recipe: recipe, hyperparameters: hyperparameters, featurization: featurization, eventType: eventType,
            eventValueThreshold: eventValueThreshold, eventWeights: eventWeights)
    }

    private func checkFit(_ recipe: RecipeName) throws(OperationError) {
        do throws(FitError) {
            try fitConfiguration(recipe: recipe, eventType: nil).validate()
        } catch {
            throw .invalidInput(error.message, field: "solutionConfig")
        }
    }

    private static func threshold(_ members: InputMembers) throws(OperationError) -> Double? {
        guard let text = try members.string("eventValueThreshold", length: 0...256) else { return nil }
        guard let number = Double(text), number.isFinite else {
            throw .invalidInput(
                "'\(text)' at 'solutionConfig.eventValueThreshold' is not a number.", field: "solutionConfig.eventValueThreshold")
        }
        return number
    }

    mutating func readEvents(_ members: InputMembers) throws(OperationError) {
        guard let events = try members.members("eventsConfig"), let list = try events.list("eventParametersList", count: 0...10) else {
            return
        }
        eventWeights = []
        for entry in list {
            let type = try Check.required(try entry.string("eventType", length: 0...256), field: entry.fullName("eventType"))
            let weight = try entry.double("weight") ?? 1
            try Check.range(weight, 0...1, field: entry.fullName("weight"))
            eventWeights.append(.init(eventType: type, weight: weight, valueThreshold: try entry.double("eventValueThreshold")))
        }
    }

    mutating func readSchedule(_ members: InputMembers) throws(OperationError) {
        guard let config = try members.members("autoTrainingConfig"), let text = try config.string("schedulingExpression") else { return }
        trainingIntervalDays = try SolutionConfig.days(text, field: config.fullName("schedulingExpression"))
    }

    /// `rate(N day)` or `rate(N days)`, N from 1 to 30.
    static func days(_ text: String, field: String) throws(OperationError) -> Int {
        try Check.length(text, 1...16, field: field)
        var digits = text.utf8[...]
        let ending = [" days)", " day)"].first { text.utf8.reversed().starts(with: $0.utf8.reversed()) }
        guard let ending, text.utf8.starts(with: "rate(".utf8), text.utf8.count > ending.utf8.count + 5 else {
            throw Check.pattern(text, "rate\\(\\d+ days?\\)", field: field)
        }
        digits = digits.dropFirst(5).dropLast(ending.utf8.count)
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }), let days = Int(String(decoding: digits, as: UTF8.self)) else {
            throw Check.pattern(text, "rate\\(\\d+ days?\\)", field: field)
        }
        guard (1...30).contains(days) else {
            throw .invalidInput("The schedule at '\(field)' must be of 1 to 30 days, not \(days).", field: field)
        }
        return days
    }
}

// The parts that are checked and kept, and do not change what is trained.
extension SolutionConfig {
    private static func checkOptimization(_ members: InputMembers, recipe: RecipeName) throws(OperationError) {
        if let objective = try members.members("optimizationObjective") {
            _ = try objective.string("itemAttribute", length: 1...150)
            if let sensitivity = try objective.string("objectiveSensitivity") {
                try Check.oneOf(sensitivity, ["LOW", "MEDIUM", "HIGH", "OFF"], field: objective.fullName("objectiveSensitivity"))
                guard sensitivity == "OFF" else {
                    throw .invalidInput("An optimizationObjective is not supported yet.", field: "solutionConfig.optimizationObjective")
                }
            }
        }
        if let auto = try members.members("autoMLConfig") {
            _ = try auto.string("metricName", length: 0...256)
            _ = try auto.strings("recipeList", count: 0...100)
        }
        if let tuning = try members.members("hpoConfig") { try checkTuning(tuning, recipe: recipe) }
    }

    private static func checkTuning(_ tuning: InputMembers, recipe: RecipeName) throws(OperationError) {
        if let resources = try tuning.members("hpoResourceConfig") {
            for (name, limit) in [("maxNumberOfTrainingJobs", 40), ("maxParallelTrainingJobs", 10)] {
                guard let text = try resources.string(name, length: 0...256) else { continue }
                guard let number = Int(text), (1...limit).contains(number) else {
                    throw .invalidInput(
                        "'\(text)' at '\(resources.fullName(name))' must be a whole number from 1 to \(limit).",
                        field: resources.fullName(name))
                }
            }
        }
        guard let ranges = try tuning.members("algorithmHyperParameterRanges") else { return }
        for name in ["integerHyperParameterRanges", "continuousHyperParameterRanges"] {
            for range in try Check.required(try ranges.list(name, count: 0...100), field: ranges.fullName(name)) {
                let parameter = try tunable(range, recipe: recipe)
                let low = try Check.required(try range.double("minValue"), field: range.fullName("minValue"))
                let high = try Check.required(try range.double("maxValue"), field: range.fullName("maxValue"))
                try Check.range(low, -1_000_000...1_000_000, field: range.fullName("minValue"))
                try Check.range(high, -1_000_000...1_000_000, field: range.fullName("maxValue"))
                guard low <= high, parameter.allows(low), parameter.allows(high) else {
                    throw .invalidInput(
                        "The range of \(parameter.name) is not within what the recipe allows.", field: range.fullName("minValue"))
                }
            }
        }
        let name = "categoricalHyperParameterRanges"
        for range in try Check.required(try ranges.list(name, count: 0...100), field: ranges.fullName(name)) {
            _ = try tunable(range, recipe: recipe)
            for value in try range.strings("values", count: 0...100) ?? [] {
                try Check.length(value, 0...1000, field: range.fullName("values"))
            }
        }
    }

    private static func tunable(_ range: InputMembers, recipe: RecipeName) throws(OperationError) -> RecipeParameter {
        let given = try Check.required(try range.string("name", length: 0...256), field: range.fullName("name"))
        let name = given.split(separator: ".").last.map(String.init) ?? given
        guard let parameter = recipe.description.hyperparameters.first(where: { $0.name == name }), parameter.isTunable else {
            throw .invalidInput("'\(given)' is not a tunable hyperparameter of \(recipe.rawValue).", field: range.fullName("name"))
        }
        return parameter
    }

    private static func checkTrainingData(_ members: InputMembers, schemas: [DatasetType: AvroSchema]) throws(OperationError) {
        guard let config = try members.members("trainingDataConfig") else { return }
        for name in ["excludedDatasetColumns", "includedDatasetColumns"] {
            guard let map = try config.members(name) else { continue }
            let types = map.object.members.map(\.name)
            guard types.count <= 3 else {
                throw Check.violation(
                    "{\(types.count) keys}", field: config.fullName(name), "Member must have length less than or equal to 3")
            }
            for type in types {
                let columns = try map.strings(type, count: 0...50) ?? []
                try check(columns, of: type, excluded: name == "excludedDatasetColumns", schemas: schemas, field: map.fullName(type))
            }
        }
    }

    private static func check(
        _ columns: [String], of type: String, excluded: Bool, schemas: [DatasetType: AvroSchema], field: String
    ) throws(OperationError) {
        guard let type = DatasetType(reading: type) else {
            throw .invalidInput("'\(type)' at '\(field)' is not a dataset type.", field: field)
        }
        let required = ["USER_ID", "ITEM_ID", "TIMESTAMP"]
        for column in columns {
            try Check.length(column, 0...150, field: field)
            if let schema = schemas[type], schema.column(named: column) == nil {
                throw .invalidInput("The \(type.rawValue) dataset has no column '\(column)'.", field: field)
            }
            if excluded, required.contains(column) {
                throw .invalidInput("The required column \(column) cannot be excluded from training.", field: field)
            }
        }
    }
}

extension RecipeParameter {
    fileprivate func allows(_ number: Double) -> Bool {
        switch range {
        case .integer(let range): number.rounded() == number && range.contains(Int(number))
        case .number(let range): range.contains(number)
        case .boolean, .choice, .words: false
        }
    }
}
