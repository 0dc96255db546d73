import Crypto
import JSON
import Postgres
import Ranking

extension Environment {
    /// Solution versions of the installation that may wait or train at once.
    static let unfinishedVersionLimit = 20
    private static let fullTraining = "FULL"

    public func createSolutionVersion(_ input: CreateSolutionVersionInput, by caller: Caller) throws(OperationError) -> SolutionVersion {
        if let name = input.name { try Check.name(name) }
        let mode = input.trainingMode ?? Self.fullTraining
        try Check.oneOf(mode, ["FULL", "UPDATE", "AUTOTRAIN"], field: "trainingMode")
        guard mode != "AUTOTRAIN" else {
            throw .invalidInput("trainingMode AUTOTRAIN is for automatic trainings only. Use FULL or UPDATE.", field: "trainingMode")
        }
        try requireRoom()
        return try change { connection in
            let found = try solution(arn: input.solutionARN, by: caller, connection)
            _ = try lockedDatasetGroup(id: found.datasetGroupID, connection)
            return try startManualTraining(of: solution(id: found.id, connection), input, by: caller, connection)
        }
    }

    /// What somebody asked for, when the solution can be trained.
    func startManualTraining(
        of solution: Solution, _ input: CreateSolutionVersionInput, by caller: Caller, _ connection: Connection
    ) throws -> SolutionVersion {
        let mode = input.trainingMode ?? Self.fullTraining
        try requireTrainable(solution, mode: mode, connection)
        if let name = input.name, try SolutionVersionQueries.exists(name: name, solutionID: solution.id, connection) {
            throw OperationError.alreadyExists("The solution already has a version named \(name).")
        }
        let version = try startTraining(of: solution, name: input.name, mode: mode, type: .manual, connection)
        let resource = "solution/\(version.path)"
        try setTags(input.tags, on: resource, connection)
        try audit(
            connection, caller, "CreateSolutionVersion", resource: resource, datasetGroupID: solution.datasetGroupID,
            parameters: ["trainingMode": .string(mode)])
        return version
    }

    public func describeSolutionVersion(arn: String, by caller: Caller) throws(OperationError) -> SolutionVersion {
        try read { try solutionVersion(arn: arn, by: caller, $0) }
    }

    public func listSolutionVersions(
        solutionARN: String?, _ request: PageRequest, by caller: Caller
    ) throws(OperationError) -> Page<SolutionVersion> {
        try page(request, scope: "ListSolutionVersions \(solutionARN ?? "")") { cursor, limit, connection in
            var solutionID: Int32?
            if let solutionARN { solutionID = try solution(arn: solutionARN, by: caller, connection).id }
            return try SolutionVersionQueries.list(
                solutionID: solutionID, groupID: caller.datasetGroupID, after: cursor, limit: limit, connection)
        }
    }

    /// Offline metrics of a trained version.
    public func solutionMetrics(arn: String, by caller: Caller) throws(OperationError) -> SolutionVersion {
        let version = try describeSolutionVersion(arn: arn, by: caller)
        guard version.status == .active else {
            throw .inUse("The solution version is in status \(version.status.rawValue) and has no metrics.")
        }
        return version
    }

    /// Stops a training: at once while it waits, else when the worker next looks. It cannot be resumed.
    public func stopSolutionVersionCreation(arn: String, by caller: Caller) throws(OperationError) {
        try change { connection in
            let version = try solutionVersion(arn: arn, by: caller, connection)
            guard try SolutionVersionQueries.stop(version.id, at: now(), connection) else {
                throw OperationError.inUse(
                    "The solution version is in status \(version.status.rawValue); only a pending or running training can be stopped.")
            }
            try cancelJob(uniqueKey: Environment.trainingKey(version.id), connection)
            try audit(
                connection, caller, "StopSolutionVersionCreation", resource: "solution/\(version.path)",
                datasetGroupID: version.solution.datasetGroupID)
        }
    }

    /// Stores a version that waits for training, puts the work into the queue and moves the next automatic training one interval on,
    /// which an UPDATE, learning no weights, does not.
    func startTraining(
        of solution: Solution, name: String? = nil, mode: String, type: TrainingType, _ connection: Connection
    ) throws -> SolutionVersion {
        let config = try SolutionConfig(solution.config, recipe: solution.recipe)
        let suffix = Hex.encode(SecureRandom.bytes(4))
        let id = try SolutionVersionQueries.insert(
            .init(
                solutionID: solution.id, suffix: suffix, name: name ?? "\(solution.name)/\(suffix)", mode: mode, type: type,
                config: solution.config),
            at: now(), connection)
        if mode != "UPDATE" {
            try SolutionQueries.postponeTraining(solution.id, until: trainingAfterInterval(config), connection)
        }
        try enqueue(
            NewJob(
                kind: .trainSolutionVersion, payload: ["solutionVersionID": .integer(Int64(id))], datasetGroupID: solution.datasetGroupID,
                uniqueKey: Environment.trainingKey(id), priority: type == .manual ? 0 : 1), connection)
        return try solutionVersion(id: id, connection)
    }

    static func trainingKey(_ versionID: Int32) -> String { "train-solution-version:\(versionID)" }

    /// `solution/<name>/<8 hex digits>`.
    func solutionVersion(arn: String, by caller: Caller, _ connection: Connection) throws -> SolutionVersion {
        let parsed = try ResourceARN(parsing: arn, .solution, field: "solutionVersionArn")
        let parts = parsed.path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2,
            let version = try SolutionVersionQueries.find(solution: String(parts[0]), suffix: String(parts[1]), connection)
        else { throw ResourceARN.notFound(arn) }
        try caller.require(datasetGroup: version.solution.datasetGroupID, resource: arn)
        return version
    }

    func solutionVersion(id: Int32, _ connection: Connection) throws -> SolutionVersion {
        guard let version = try SolutionVersionQueries.find(id: id, connection) else {
            throw ResourceARN.notFound("solution version \(id)")
        }
        return version
    }

    /// The newest ACTIVE version: what `$LATEST` means.
    func latestActiveVersion(of solution: Solution, _ connection: Connection) throws -> SolutionVersion? {
        try SolutionVersionQueries.latest(of: solution.id, onlyActive: true, connection)
    }

    private func requireTrainable(_ solution: Solution, mode: String, _ connection: Connection) throws {
        guard solution.status == .active else { throw OperationError.inUse("The solution is in status \(solution.status.rawValue).") }
        if solution.recipe.description.isImported {
            throw OperationError.invalidInput(
                "Versions of a solution with \(solution.recipe.rawValue) are imported with `tastemaker model import`, not trained.",
                field: "solutionArn")
        }
        let schemas = try schemas(ofGroup: solution.datasetGroupID, connection)
        var missing: [String] = []
        if solution.recipe.description.proposesActions, schemas[.actions] == nil { missing.append("no Actions dataset") }
        if solution.recipe.needsInteractions, schemas[.interactions] == nil { missing.append("no Interactions dataset") }
        guard missing.isEmpty else {
            throw OperationError.invalidInput(
                "The dataset group has \(missing.joined(separator: " and ")) to train on.", field: "solutionArn")
        }
        if mode == "UPDATE" {
            guard (solution.recipe.description.servedBy ?? solution.recipe) == .userPersonalization else {
                throw OperationError.invalidInput(
                    "trainingMode UPDATE is for solutions of aws-user-personalization only.", field: "trainingMode")
            }
            guard try SolutionVersionQueries.latestFull(of: solution.id, connection) != nil else {
                throw OperationError.invalidInput(
                    "trainingMode UPDATE needs an ACTIVE version that was trained FULL.", field: "trainingMode")
            }
        }
        try requireTrainingSlot(connection)
    }

    /// The contract's limit of trainings that wait or run.
    func requireTrainingSlot(_ connection: Connection) throws {
        if try SolutionVersionQueries.countUnfinished(connection) >= Environment.unfinishedVersionLimit {
            throw OperationError.limitExceeded(
                "More than \(Environment.unfinishedVersionLimit) resources with PENDING or IN_PROGRESS status.")
        }
    }
}
