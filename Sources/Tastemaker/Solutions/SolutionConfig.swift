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
    /// What the contract's `hpoConfig` says, or all that the recipe can vary; used by solutions that perform it.
    var tuning: TuningPlan
    /// Nil: items are ranked by relevance alone.
    var objective: FitConfiguration.Objective?
    /// Among which we choose for a solution that leaves the recipe to us.
    var autoMLRecipes = RecipeName.chosenByUs
    /// The metric that decides between them; nil: the usual one.
    var autoMLMetric: String?

    static let defaultIntervalDays = 7

    /// Reads a stored document, or one from outside. `recipe` decides which parameters exist; `schemas` which columns.
    init(_ json: JSONValue?, recipe: RecipeName, schemas: [DatasetType: AvroSchema] = [:]) throws(OperationError) {
        tuning = TuningPlan(space: SearchSpace(allOf: recipe))
        guard let json, !json.isNull else { return }
        guard let object = json.objectValue else { throw .invalidInput("solutionConfig must be an object.", field: "solutionConfig") }
        let members = InputMembers(object, path: "solutionConfig")
        eventValueThreshold = try SolutionConfig.threshold(members)
        hyperparameters = try members.map("algorithmHyperParameters") ?? [:]
        featurization = try members.map("featureTransformationParameters") ?? [:]
        try readEvents(members)
        try readSchedule(members)
        if let members = try members.members("hpoConfig") { tuning = try TuningPlan(members, recipe: recipe) }
        objective = try FitConfiguration.Objective(members, recipe: recipe, items: schemas[.items], isNew: !schemas.isEmpty)
        try readAutoML(members)
        try SolutionConfig.checkTrainingData(members, schemas: schemas)
        try checkFit(recipe)
    }

    func fitConfiguration(recipe: RecipeName, eventType: String?) -> FitConfiguration {
        var configuration = FitConfiguration(
            recipe: recipe, hyperparameters: hyperparameters, featurization: featurization, eventType: eventType,
            eventValueThreshold: eventValueThreshold, eventWeights: eventWeights)
        configuration.objective = objective
        return configuration
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

extension SolutionConfig {
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
        let required = ["USER_ID", "ITEM_ID", "ACTION_ID", "TIMESTAMP"]
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
