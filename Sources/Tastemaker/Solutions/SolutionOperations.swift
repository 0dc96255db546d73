import JSON
import Postgres
import Ranking

extension Environment {
    /// Automatic training waits this long after a solution is made: a version made by hand in that hour stands for the first one.
    private static let firstTrainingDelay: Int64 = 3_600_000_000
    private static let microsecondsPerDay: Int64 = 86_400_000_000

    /// - Parameter trains: begins a full training in the same transaction: where it is refused there is no solution either, and the
    ///   refusal names the field `train`.
    public func createSolution(
        _ input: CreateSolutionInput, trains: Bool = false, by caller: Caller
    ) throws(OperationError) -> Solution {
        try Check.name(input.name)
        if trains { try requireRoom() }
        if let eventType = input.eventType { try Check.length(eventType, 1...256, field: "eventType") }
        let recipe = try solutionRecipe(input)
        var input = input
        if recipe.description.isImported { input.performsAutoTraining = false }
        let new = input
        return try change { connection in
            let input = new
            let group = try lockedDatasetGroup(arn: input.datasetGroupARN, by: caller, connection)
            guard group.status == .active else { throw OperationError.inUse("The dataset group is in status \(group.status.rawValue).") }
            if try SolutionQueries.find(name: input.name, connection) != nil {
                throw OperationError.alreadyExists("A solution named \(input.name) already exists.")
            }
            _ = try SolutionConfig(input.config, recipe: recipe, schemas: schemas(ofGroup: group.id, connection))
            let isAutomatic = input.performsAutoTraining ?? true
            let first = PGTimestamp(microseconds: now().microseconds + Environment.firstTrainingDelay)
            let id = try SolutionQueries.insert(
                .init(input: input, datasetGroupID: group.id, recipe: recipe, nextTrainingAt: isAutomatic ? first : nil), at: now(),
                connection)
            let resource = "solution/\(input.name)"
            try setTags(input.tags, on: resource, connection)
            try audit(
                connection, caller, "CreateSolution", resource: resource, datasetGroupID: group.id,
                parameters: ["recipe": .string(recipe.rawValue), "performAutoTraining": .bool(isAutomatic)])
            let solution = try solution(id: id, connection)
            guard trains else { return solution }
            do {
                _ = try startManualTraining(of: solution, CreateSolutionVersionInput(solutionARN: ""), by: caller, connection)
            } catch OperationError.invalidInput(let sentence, _) {
                throw OperationError.invalidInput(sentence, field: "train")
            }
            return try self.solution(id: id, connection)
        }
    }

    /// The solution and its newest version.
    public func describeSolution(arn: String, by caller: Caller) throws(OperationError) -> (solution: Solution, latest: SolutionVersion?) {
        try read { connection in
            let solution = try solution(arn: arn, by: caller, connection)
            return (solution, try SolutionVersionQueries.latest(of: solution.id, onlyActive: false, connection))
        }
    }

    public func listSolutions(datasetGroupARN: String?, _ request: PageRequest, by caller: Caller) throws(OperationError) -> Page<Solution>
    {
        try page(request, scope: "ListSolutions \(datasetGroupARN ?? "")") { cursor, limit, connection in
            try SolutionQueries.list(
                ofGroup: listedGroup(arn: datasetGroupARN, by: caller, connection), after: cursor, limit: limit, connection)
        }
    }

    /// Changes the automatic training and the weights of events; all else of a solution is fixed.
    public func updateSolution(_ input: UpdateSolutionInput, by caller: Caller) throws(OperationError) -> Solution {
        try change { connection in
            let found = try solution(arn: input.solutionARN, by: caller, connection)
            _ = try lockedDatasetGroup(id: found.datasetGroupID, connection)
            let solution = try solution(id: found.id, connection)
            guard solution.status == .active else { throw OperationError.inUse("The solution is in status \(solution.status.rawValue).") }
            let config = merged(input.config?.withoutNulls, into: solution.config)
            let meaning = try SolutionConfig(config, recipe: solution.recipe)
            let isAutomatic = (input.performsAutoTraining ?? solution.performsAutoTraining) && !solution.recipe.description.isImported
            let update = SolutionUpdate(
                config: input.config?.withoutNulls, performsAutoTraining: input.performsAutoTraining,
                performsIncrementalUpdate: input.performsIncrementalUpdate, status: ResourceStatus.active.rawValue, createdAt: now(),
                updatedAt: now())
            try SolutionQueries.update(
                solution.id,
                .init(
                    performsAutoTraining: isAutomatic,
                    performsIncrementalUpdate: input.performsIncrementalUpdate ?? solution.performsIncrementalUpdate, config: config,
                    update: update, nextTrainingAt: isAutomatic ? try nextTraining(of: solution, meaning, connection) : nil),
                at: now(), connection)
            try audit(
                connection, caller, "UpdateSolution", resource: "solution/\(solution.name)", datasetGroupID: solution.datasetGroupID,
                parameters: update.json)
            return try self.solution(id: solution.id, connection)
        }
    }

    /// Deletes the solution and its versions; a job removes their model files after the commit.
    public func deleteSolution(arn: String, by caller: Caller) throws(OperationError) {
        try change { connection in
            let found = try solution(arn: arn, by: caller, connection)
            _ = try lockedDatasetGroup(id: found.datasetGroupID, connection)
            let solution = try solution(id: found.id, connection)
            guard solution.status.isDeletable else { throw OperationError.inUse("The solution is in status \(solution.status.rawValue).") }
            if let dependant = try SolutionQueries.dependant(solution.id, connection) {
                throw OperationError.inUse("The solution \(solution.name) \(dependant).")
            }
            let resource = "solution/\(solution.name)"
            try deleteTags(of: resource, connection)
            let keys = try SolutionQueries.delete(solution, connection)
            try audit(connection, caller, "DeleteSolution", resource: resource, datasetGroupID: solution.datasetGroupID)
            if !keys.isEmpty {
                try enqueue(NewJob(kind: .clean, payload: ["artifacts": .array(keys.map { .string($0) })]), connection)
            }
            try bumpResources(connection, datasetGroupID: solution.datasetGroupID)
        }
    }

    func solution(arn: String, by caller: Caller, _ connection: Connection) throws -> Solution {
        let parsed = try ResourceARN(parsing: arn, .solution, field: "solutionArn")
        guard let solution = try SolutionQueries.find(name: parsed.path, connection) else { throw ResourceARN.notFound(arn) }
        try caller.require(datasetGroup: solution.datasetGroupID, resource: arn)
        return solution
    }

    func solution(id: Int32, _ connection: Connection) throws -> Solution {
        guard let solution = try SolutionQueries.find(id: id, connection) else { throw ResourceARN.notFound("solution/\(id)") }
        return solution
    }

    /// One interval of the schedule from a training that starts now.
    func trainingAfterInterval(_ config: SolutionConfig) -> PGTimestamp {
        PGTimestamp(microseconds: now().microseconds + Int64(config.trainingIntervalDays) * Environment.microsecondsPerDay)
    }

    /// Counted from the start of the newest training, but never in the past; without one, the delay of a new solution.
    private func nextTraining(of solution: Solution, _ config: SolutionConfig, _ connection: Connection) throws -> PGTimestamp {
        guard let latest = try SolutionVersionQueries.latestTrainingStart(of: solution.id, connection) else {
            return solution.nextTrainingAt ?? PGTimestamp(microseconds: now().microseconds + Environment.firstTrainingDelay)
        }
        let due = latest.microseconds + Int64(config.trainingIntervalDays) * Environment.microsecondsPerDay
        return PGTimestamp(microseconds: max(due, now().microseconds))
    }

    private func solutionRecipe(_ input: CreateSolutionInput) throws(OperationError) -> RecipeName {
        if input.performsAutoML == true {
            guard input.recipeARN == nil else {
                throw .invalidInput("recipeArn must not be given together with performAutoML.", field: "recipeArn")
            }
            return .userPersonalization
        }
        let arn = try Check.required(input.recipeARN, field: "recipeArn")
        let description = try recipe(arn: arn).description
        guard description.useCase == nil else {
            throw .invalidInput("The recipe \(description.name.rawValue) is for recommenders. Use CreateRecommender.", field: "recipeArn")
        }
        return description.name
    }

    private func merged(_ update: JSONValue?, into config: JSONValue?) -> JSONValue? {
        guard let update = update?.objectValue else { return config }
        var object = config?.objectValue ?? JSONObject()
        for name in ["autoTrainingConfig", "eventsConfig"] {
            if let value = update[name] { object[name] = value }
        }
        return object.isEmpty ? config : .object(object)
    }
}
