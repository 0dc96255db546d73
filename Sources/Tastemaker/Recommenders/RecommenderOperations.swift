import Feeds
public import JSON
import Postgres
import Ranking

extension Environment {
    /// Stores the recommender and starts its first training; it serves when that has ended.
    public func createRecommender(_ input: CreateRecommenderInput, by caller: Caller) throws(OperationError) -> Recommender {
        try Check.name(input.name)
        let description = try recipe(arn: input.recipeARN).description
        guard let useCase = description.useCase else {
            throw .invalidInput("The recipe \(description.name.rawValue) is for solutions. Use CreateSolution.", field: "recipeArn")
        }
        try requireRoom()
        return try change { connection in
            let group = try lockedDatasetGroup(arn: input.datasetGroupARN, by: caller, connection)
            guard group.status == .active else { throw OperationError.inUse("The dataset group is in status \(group.status.rawValue).") }
            guard group.domain == useCase.domain.rawValue else {
                throw OperationError.invalidInput(
                    "The recipe \(description.name.rawValue) is for dataset groups of the domain \(useCase.domain.rawValue); "
                        + "this one is of \(group.domain ?? "none").", field: "recipeArn")
            }
            if try RecommenderQueries.find(name: input.name, connection) != nil {
                throw OperationError.alreadyExists("A recommender named \(input.name) already exists.")
            }
            let schemas = try schemas(ofGroup: group.id, connection)
            for type in [DatasetType.interactions] + (useCase.needsItems ? [.items] : []) where schemas[type] == nil {
                throw OperationError.invalidInput(
                    "The recipe \(description.name.rawValue) needs the \(type.rawValue) dataset, which the group does not have.",
                    field: "datasetGroupArn")
            }
            try requireTrainingSlot(connection)
            let config = try RecommenderConfig(input.config, recipe: description.name, schemas: schemas)
            let id = try RecommenderQueries.insert(input, groupID: group.id, at: now(), connection)
            let solution = try hiddenSolution(of: id, input, config, description.name, group, connection)
            _ = try startTraining(of: solution, mode: "FULL", type: .automatic, connection)
            let resource = "recommender/\(input.name)"
            try setTags(input.tags, on: resource, connection)
            try audit(
                connection, caller, "CreateRecommender", resource: resource, datasetGroupID: group.id,
                parameters: ["recipe": .string(description.name.rawValue), "recommenderConfig": input.config ?? .null])
            return try recommender(name: input.name, connection)
        }
    }

    public func describeRecommender(arn: String, by caller: Caller) throws(OperationError) -> Recommender {
        try read { try recommender(arn: arn, by: caller, $0) }
    }

    public func listRecommenders(
        datasetGroupARN: String?, _ request: PageRequest, by caller: Caller
    ) throws(OperationError) -> Page<Recommender> {
        try page(request, scope: "ListRecommenders \(datasetGroupARN ?? "")") { cursor, limit, connection in
            try RecommenderQueries.list(
                ofGroup: listedGroup(arn: datasetGroupARN, by: caller, connection), after: cursor, limit: limit, connection)
        }
    }

    /// Replaces the configuration. Other training data means a training, until whose end the old configuration serves.
    public func updateRecommender(arn: String, config: JSONValue, by caller: Caller) throws(OperationError) -> Recommender {
        let config = config.withoutNulls
        return try change { connection in
            let recommender = try lockedRecommender(arn: arn, by: caller, connection)
            try requireUpdatable(recommender)
            let schemas = try schemas(ofGroup: recommender.datasetGroupID, connection)
            let wanted = try RecommenderConfig(config, recipe: recommender.recipe, schemas: schemas)
            let current = try RecommenderConfig(recommender.config, recipe: recommender.recipe, schemas: [:])
            var versionID: Int32?
            try RecommenderQueries.setSolutionConfig(recommender.solutionID, wanted.solution, connection)
            if wanted.trainingData != current.trainingData || recommender.status == .createFailed {
                guard recommender.status != .inactive else {
                    throw OperationError.inUse(
                        "The recommender is INACTIVE and is not trained. Start it before changing its training data.")
                }
                try requireTrainingSlot(connection)
                versionID = try startTraining(
                    of: solution(id: recommender.solutionID, connection), mode: "FULL", type: .automatic, connection
                ).id
            } else {
                try RecommenderQueries.setCampaignConfig(recommender, wanted.campaign, at: now(), connection)
            }
            try RecommenderQueries.update(recommender.id, config: config, waitingFor: versionID, at: now(), connection)
            try audit(
                connection, caller, "UpdateRecommender", resource: "recommender/\(recommender.name)",
                datasetGroupID: recommender.datasetGroupID, parameters: ["recommenderConfig": config])
            try bumpResources(connection, datasetGroupID: recommender.datasetGroupID)
            return try self.recommender(name: recommender.name, connection)
        }
    }

    /// Only from INACTIVE. Serves the newest version again; a training that was missed meanwhile is made up for.
    public func startRecommender(arn: String, by caller: Caller) throws(OperationError) -> Recommender {
        try switchRecommender(arn: arn, from: .inactive, to: .active, action: "StartRecommender", by: caller) { recommender, connection in
            let solution = try solution(id: recommender.solutionID, connection)
            let config = try SolutionConfig(solution.config, recipe: solution.recipe)
            let latest = try SolutionVersionQueries.latest(of: solution.id, onlyActive: true, connection)
            let missed = latest.map { now().microseconds - $0.createdAt.microseconds } ?? 0
            return PGTimestamp(microseconds: max(now().microseconds, trainingAfterInterval(config).microseconds - missed))
        }
    }

    /// Only from ACTIVE. What is stopped neither serves nor trains.
    public func stopRecommender(arn: String, by caller: Caller) throws(OperationError) -> Recommender {
        try switchRecommender(arn: arn, from: .active, to: .inactive, action: "StopRecommender", by: caller) { recommender, connection in
            try endTrainings(of: recommender, connection)
            return nil
        }
    }

    /// Deletes the recommender with its models; trainings under way are ended.
    public func deleteRecommender(arn: String, by caller: Caller) throws(OperationError) {
        try change { connection in
            let recommender = try lockedRecommender(arn: arn, by: caller, connection)
            guard recommender.status.isDeletable else {
                throw OperationError.inUse("The recommender is in status \(recommender.status.rawValue).")
            }
            try endTrainings(of: recommender, connection)
            let resource = "recommender/\(recommender.name)"
            try deleteTags(of: resource, connection)
            let keys = try RecommenderQueries.delete(
                recommender, solution: solution(id: recommender.solutionID, connection), connection)
            try audit(connection, caller, "DeleteRecommender", resource: resource, datasetGroupID: recommender.datasetGroupID)
            if !keys.isEmpty {
                try enqueue(NewJob(kind: .clean, payload: ["artifacts": .array(keys.map { .string($0) })]), connection)
            }
            try bumpResources(connection, datasetGroupID: recommender.datasetGroupID)
        }
    }

    /// Serves a version of a recommender that became ACTIVE, with the configuration that waited for it, in the transaction that makes it so.
    func advanceRecommender(to version: SolutionVersion, _ connection: Connection) throws {
        guard let recommender = try RecommenderQueries.find(solutionID: version.solution.id, connection) else { return }
        var config = recommender.config
        if let update = recommender.latestUpdate, let wanted = update.versionID, version.id >= wanted {
            config = update.config
            try RecommenderQueries.setConfig(recommender.id, config, at: now(), connection)
        }
        let served = try RecommenderConfig(config, recipe: recommender.recipe, schemas: [:])
        try RecommenderQueries.serve(recommender, versionID: version.id, config: served.campaign, at: now(), connection)
        try audit(
            connection, .system, "ServeRecommender", resource: "recommender/\(recommender.name)",
            datasetGroupID: recommender.datasetGroupID, parameters: ["solutionVersion": .string(version.path)])
    }

    func recommender(arn: String, by caller: Caller, _ connection: Connection) throws -> Recommender {
        let parsed = try ResourceARN(parsing: arn, .recommender, field: "recommenderArn")
        guard let recommender = try RecommenderQueries.find(name: parsed.path, connection) else { throw ResourceARN.notFound(arn) }
        try caller.require(datasetGroup: recommender.datasetGroupID, resource: arn)
        return recommender
    }
}

extension Environment {
    private func recommender(name: String, _ connection: Connection) throws -> Recommender {
        guard let recommender = try RecommenderQueries.find(name: name, connection) else {
            throw ResourceARN.notFound("recommender/\(name)")
        }
        return recommender
    }

    /// As it is once no other change of its group is under way.
    private func lockedRecommender(arn: String, by caller: Caller, _ connection: Connection) throws -> Recommender {
        let found = try recommender(arn: arn, by: caller, connection)
        _ = try lockedDatasetGroup(id: found.datasetGroupID, connection)
        return try recommender(name: found.name, connection)
    }

    private func requireUpdatable(_ recommender: Recommender) throws(OperationError) {
        guard [.active, .inactive, .createFailed].contains(recommender.status) else {
            throw .inUse("The recommender is in status \(recommender.status.rawValue).")
        }
        if let update = recommender.latestUpdate, [.createPending, .createInProgress].contains(update.status) {
            throw .inUse("The last update of the recommender is in status \(update.status.rawValue).")
        }
    }

    private func hiddenSolution(
        of id: Int32, _ input: CreateRecommenderInput, _ config: RecommenderConfig, _ recipe: RecipeName, _ group: DatasetGroup,
        _ connection: Connection
    ) throws -> Solution {
        let solution = CreateSolutionInput(
            name: ServedCampaign.name(ofRecommender: input.name), datasetGroupARN: input.datasetGroupARN, recipeARN: input.recipeARN,
            config: config.solution)
        let solutionID = try SolutionQueries.insert(
            .init(input: solution, datasetGroupID: group.id, recipe: recipe, nextTrainingAt: now(), recommenderID: id), at: now(),
            connection)
        return try self.solution(id: solutionID, connection)
    }

    private func endTrainings(of recommender: Recommender, _ connection: Connection) throws {
        for id in try SolutionVersionQueries.unfinished(solutionID: recommender.solutionID, connection) {
            guard try SolutionVersionQueries.stop(id, at: now(), connection) else { continue }
            try cancelJob(uniqueKey: Environment.trainingKey(id), connection)
        }
    }

    /// - Parameter nextTraining: when the recommender is trained next; nil: not.
    private func switchRecommender(
        arn: String, from: ResourceStatus, to: ResourceStatus, action: String, by caller: Caller,
        nextTraining: (Recommender, Connection) throws -> PGTimestamp?
    ) throws(OperationError) -> Recommender {
        try change { connection in
            let recommender = try lockedRecommender(arn: arn, by: caller, connection)
            guard recommender.status == from else {
                throw OperationError.inUse("The recommender is in status \(recommender.status.rawValue), not \(from.rawValue).")
            }
            let next = try nextTraining(recommender, connection)
            try RecommenderQueries.setServing(recommender, to, nextTrainingAt: next, at: now(), connection)
            try audit(
                connection, caller, action, resource: "recommender/\(recommender.name)", datasetGroupID: recommender.datasetGroupID)
            try bumpResources(connection, datasetGroupID: recommender.datasetGroupID)
            return try self.recommender(name: recommender.name, connection)
        }
    }
}
