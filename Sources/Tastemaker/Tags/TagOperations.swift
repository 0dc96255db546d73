import JSON
import Postgres

extension Environment {
    public func tagResource(arn: String, tags: [Tag], by caller: Caller) throws(OperationError) {
        try Tag.check(tags)
        try change { connection in
            let (resource, groupID) = try taggable(arn, by: caller, connection)
            _ = try lockedDatasetGroup(id: groupID, connection)
            try setTags(tags, on: resource, connection)
            try audit(
                connection, caller, "TagResource", resource: resource, datasetGroupID: groupID,
                parameters: ["keys": .array(tags.map { .string($0.key) })])
        }
    }

    /// Keys that the resource does not have are no error.
    public func untagResource(arn: String, keys: [String], by caller: Caller) throws(OperationError) {
        guard keys.count <= Tag.requestLimit else { throw .tooManyTagKeys("At most \(Tag.requestLimit) tag keys can be removed at once.") }
        for key in keys { try Check.length(key, 1...128, field: "tagKeys") }
        try change { connection in
            let (resource, groupID) = try taggable(arn, by: caller, connection)
            try TagQueries.delete(keys, of: resource, connection)
            try audit(
                connection, caller, "UntagResource", resource: resource, datasetGroupID: groupID,
                parameters: ["keys": .array(keys.map { .string($0) })])
        }
    }

    /// By key.
    public func listTags(arn: String, by caller: Caller) throws(OperationError) -> [Tag] {
        try read { connection in try TagQueries.list(taggable(arn, by: caller, connection).resource, connection) }
    }

    /// Adds tags to a resource, or overwrites their values. Used by every Create and by TagResource.
    func setTags(_ tags: [Tag], on resource: String, _ connection: Connection) throws {
        guard !tags.isEmpty else { return }
        try Tag.check(tags)
        try TagQueries.upsert(tags, on: resource, connection)
        guard try TagQueries.count(resource, connection) <= Tag.limit else {
            throw OperationError.tooManyTags("A resource has at most \(Tag.limit) tags.")
        }
    }

    func deleteTags(of resource: String, _ connection: Connection) throws {
        try TagQueries.deleteAll(of: resource, connection)
    }

    /// The key under which tags of the resource are kept, and its group. Schemas and recipes have no tags.
    private func taggable(_ arn: String, by caller: Caller, _ connection: Connection) throws -> (resource: String, groupID: Int32) {
        let parsed = try ResourceARN(parsing: arn, field: "resourceArn")
        let groupID: Int32
        switch parsed.kind {
        case .datasetGroup: groupID = try datasetGroup(arn: arn, by: caller, connection).id
        case .dataset: groupID = try dataset(arn: arn, by: caller, connection).datasetGroupID
        case .datasetImportJob: groupID = try datasetImportJob(arn: arn, by: caller, connection).dataset.datasetGroupID
        case .batchSegmentJob: groupID = try batchSegmentJob(arn: arn, by: caller, connection).version.solution.datasetGroupID
        case .eventTracker: groupID = try eventTracker(arn: arn, by: caller, connection).datasetGroupID
        case .filter: groupID = try filter(arn: arn, by: caller, connection).datasetGroupID
        case .campaign: groupID = try campaign(arn: arn, by: caller, connection).datasetGroupID
        case .recommender: groupID = try recommender(arn: arn, by: caller, connection).datasetGroupID
        case .solution where parsed.path.utf8.contains(UInt8(ascii: "/")):
            groupID = try solutionVersion(arn: arn, by: caller, connection).solution.datasetGroupID
        case .solution: groupID = try solution(arn: arn, by: caller, connection).datasetGroupID
        case .schema, .recipe, .algorithm, .featureTransformation:
            throw OperationError.invalidInput("A \(parsed.kind.rawValue) cannot have tags.", field: "resourceArn")
        }
        return (parsed.resource, groupID)
    }
}
