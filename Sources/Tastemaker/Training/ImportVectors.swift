import Crypto
import Foundation
import JSON
import Postgres
public import Ranking
import Storage

/// Vectors by external id, as they were read.
public struct VectorTable: Sendable {
    public var ids: [String]
    public var dimensions: Int
    /// Row-major, ids x dimensions.
    public var values: [Float]

    public init(ids: [String] = [], dimensions: Int = 0, values: [Float] = []) {
        self.ids = ids
        self.dimensions = dimensions
        self.values = values
    }
}

public struct ImportVectorsInput: Sendable {
    public var solutionARN: String
    public var metric: VectorImport.Metric
    public var items: VectorTable
    /// Nil: users are served by their histories.
    public var users: VectorTable?

    public init(solutionARN: String, metric: VectorImport.Metric, items: VectorTable, users: VectorTable? = nil) {
        self.solutionARN = solutionARN
        self.metric = metric
        self.items = items
        self.users = users
    }
}

extension Environment {
    /// Ids that are interned by one statement.
    private static let idBatch = 10_000

    /// Makes vectors an ACTIVE version of a solution whose recipe takes them; campaigns that follow the solution move on to it.
    public func importVectors(_ input: ImportVectorsInput, by caller: Caller) throws(OperationError) -> SolutionVersion {
        let start = ContinuousClock.now
        let solution = try read { connection in try self.solution(arn: input.solutionARN, by: caller, connection) }
        guard solution.recipe.description.isImported else {
            throw .invalidInput(
                "The solution's recipe \(solution.recipe.rawValue) is trained. Vectors are for \(RecipeName.vectors.rawValue).",
                field: "solutionArn")
        }
        if let users = input.users, users.dimensions != input.items.dimensions {
            throw .invalidInput(
                "User vectors have \(users.dimensions) dimensions, item vectors \(input.items.dimensions).", field: "users")
        }
        let fitted: FittedModel
        do {
            fitted = try vectorImport(input, groupID: solution.datasetGroupID).model()
        } catch let error as FitError {
            throw .invalidInput(error.message, field: "items")
        } catch { throw OperationError(error) }
        var outcome = TrainingOutcome(seed: 0, threads: 1)
        outcome.take(fitted)
        outcome.seconds = Double((ContinuousClock.now - start) / .milliseconds(1)) / 1000
        return try publish(outcome, as: solution, by: caller)
    }

    private func vectorImport(_ input: ImportVectorsInput, groupID: Int32) throws -> VectorImport {
        var vectors = VectorImport(
            metric: input.metric, dimensions: input.items.dimensions, itemIDs: try intern(items: input.items.ids, groupID: groupID),
            items: input.items.values, userIDs: try intern(users: input.users?.ids ?? [], groupID: groupID),
            users: input.users?.values ?? [])
        try read { connection in
            vectors.eventTypeNames = try TrainingQueries.eventTypes(groupID, connection)
            if let dataset = try EventQueries.interactionsDataset(groupID, connection) {
                vectors.popularity = try TrainingQueries.popularity(dataset: dataset, connection)
            }
        }
        vectors.createdAt = Date(timeIntervalSince1970: now().seconds)
        return vectors
    }

    private func intern(items: [String] = [], users: [String] = [], groupID: Int32) throws -> [Int32] {
        let field = users.isEmpty ? "items" : "users"
        let ids = users.isEmpty ? items : users
        for id in ids { try Check.externalID(id, field: field) }
        var interned: [Int32] = []
        for start in stride(from: 0, to: ids.count, by: Self.idBatch) {
            let batch = Array(ids[start..<min(ids.count, start + Self.idBatch)])
            interned += try transact { connection in
                let result = try EventQueries.intern(
                    users: users.isEmpty ? [] : batch, items: users.isEmpty ? batch : [], eventTypes: [], groupID: groupID, connection)
                return users.isEmpty ? result.items : result.users
            }
        }
        return interned
    }

    /// The file first, then everything that names it in one transaction.
    private func publish(_ outcome: TrainingOutcome, as solution: Solution, by caller: Caller) throws(OperationError) -> SolutionVersion {
        let suffix = Hex.encode(SecureRandom.bytes(4))
        let key = "models/g\(solution.datasetGroupID)/s\(solution.id)-\(suffix)-1.tmm"
        let file = TrainingQueries.ModelRecord(key: key, sha256: SHA256.hash(outcome.bytes), bytes: Int64(outcome.bytes.count))
        do {
            try artifacts.put(key, .bytes(outcome.bytes), ifAbsent: true)
            return try change { connection in
                _ = try lockedDatasetGroup(id: solution.datasetGroupID, connection)
                let id = try SolutionVersionQueries.insert(
                    .init(
                        solutionID: solution.id, suffix: suffix, name: "\(solution.name)/\(suffix)", mode: "FULL", type: .manual,
                        config: solution.config),
                    at: now(), connection)
                guard try TrainingQueries.begin(id, at: now(), connection),
                    try TrainingQueries.activate(id, file, outcome, at: now(), connection)
                else { throw OperationError.unavailable("The version could not be stored.") }
                let version = try solutionVersion(id: id, connection)
                try advanceFollowers(to: version, connection)
                try audit(
                    connection, caller, "ImportVectors", resource: "solution/\(version.path)", datasetGroupID: solution.datasetGroupID,
                    parameters: ["items": .integer(Int64(outcome.counts.items)), "users": .integer(Int64(outcome.counts.users))])
                try bumpResources(connection, datasetGroupID: solution.datasetGroupID)
                return version
            }
        } catch {
            try? artifacts.delete(key)
            throw OperationError(error)
        }
    }
}
