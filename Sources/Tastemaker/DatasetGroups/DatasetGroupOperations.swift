import Feeds
import Foundation
import JSON
import Postgres

extension Environment {
    public func createDatasetGroup(_ input: CreateDatasetGroupInput, by caller: Caller) throws(OperationError) -> DatasetGroup {
        try check(input, by: caller)
        return try change { try storeDatasetGroup(input, by: caller, $0) }
    }

    func check(_ input: CreateDatasetGroupInput, by caller: Caller) throws(OperationError) {
        try Check.name(input.name)
        if let domain = input.domain { try Check.oneOf(domain, Domain.allCases.map(\.rawValue), field: "domain") }
        if let role = input.roleARN { try Check.roleARN(role, field: "roleArn") }
        if let key = input.kmsKeyARN { try Check.keyARN(key, field: "kmsKeyArn") }
        try caller.requireWholeAccount()
    }

    /// Within a transaction of the caller's.
    func storeDatasetGroup(_ input: CreateDatasetGroupInput, by caller: Caller, _ connection: Connection) throws -> DatasetGroup {
        if try DatasetGroupQueries.find(name: input.name, connection) != nil {
            throw OperationError.alreadyExists("A dataset group named \(input.name) already exists.")
        }
        let group = try DatasetGroupQueries.insert(input, at: now(), connection)
        let resource = ResourceARN(kind: .datasetGroup, path: group.name).resource
        try setTags(input.tags, on: resource, connection)
        try audit(connection, caller, "CreateDatasetGroup", resource: resource, datasetGroupID: group.id)
        return group
    }

    public func describeDatasetGroup(arn: String, by caller: Caller) throws(OperationError) -> DatasetGroup {
        try read { try datasetGroup(arn: arn, by: caller, $0) }
    }

    public func describeDatasetGroup(id: Int32, by caller: Caller) throws(OperationError) -> DatasetGroup {
        try read { connection in
            try caller.require(datasetGroup: id, resource: "dataset-group/\(id)")
            guard let group = try DatasetGroupQueries.find(id: id, connection) else { throw ResourceARN.notFound("dataset-group/\(id)") }
            return group
        }
    }

    public func listDatasetGroups(_ request: PageRequest, by caller: Caller) throws(OperationError) -> Page<DatasetGroup> {
        try page(request, scope: "ListDatasetGroups") {
            try DatasetGroupQueries.list(after: $0, limit: $1, boundTo: caller.datasetGroupID, $2)
        }
    }

    /// What people see of items, the zone that days follow, and the currency that money is in.
    public func updateDatasetGroupDisplay(
        id: Int32, columns: DisplayColumns, timeZone: String, currency: String, by caller: Caller
    ) throws(OperationError) {
        try DatasetGroup.checkDisplay(timeZone: timeZone, currency: currency)
        try change { connection in
            try storeDisplay(of: id, columns: columns, timeZone: timeZone, currency: currency, by: caller, connection)
        }
    }

    func storeDisplay(
        of id: Int32, columns: DisplayColumns, timeZone: String, currency: String, by caller: Caller, _ connection: Connection
    ) throws {
        guard let group = try DatasetGroupQueries.find(id: id, connection) else { throw ResourceARN.notFound("dataset-group/\(id)") }
        try DatasetGroupQueries.updateDisplay(id, columns: columns, timeZone: timeZone, currency: currency, at: now(), connection)
        try audit(
            connection, caller, "UpdateDatasetGroupDisplay", resource: "dataset-group/\(group.name)", datasetGroupID: id,
            parameters: ["displayColumns": columns.json, "timeZone": .string(timeZone), "currency": .string(currency)])
        try bumpResources(connection, datasetGroupID: id)
    }

    public func deleteDatasetGroup(arn: String, by caller: Caller) throws(OperationError) {
        try change { connection in
            let group = try lockedDatasetGroup(arn: arn, by: caller, connection)
            guard group.status.isDeletable else { throw OperationError.inUse("The dataset group is in status \(group.status.rawValue).") }
            let dependants = try DatasetGroupQueries.dependants(group.id, connection)
            guard dependants.isEmpty else {
                throw OperationError.inUse("The dataset group still has \(dependants.joined(separator: ", ")). Delete them first.")
            }
            let resource = "dataset-group/\(group.name)"
            try deleteTags(of: resource, connection)
            try DatasetGroupQueries.delete(group.id, connection)
            try audit(connection, caller, "DeleteDatasetGroup", resource: resource, datasetGroupID: group.id)
        }
    }

    /// For operations that have checked the caller by a resource of the group.
    func datasetGroup(id: Int32, _ connection: Connection) throws -> DatasetGroup {
        guard let group = try DatasetGroupQueries.find(id: id, connection) else { throw ResourceARN.notFound("dataset-group/\(id)") }
        return group
    }

    /// The group that an ARN names, if the caller's key may see it.
    func datasetGroup(arn: String, by caller: Caller, _ connection: Connection) throws -> DatasetGroup {
        let parsed = try ResourceARN(parsing: arn, .datasetGroup, field: "datasetGroupArn")
        guard let group = try DatasetGroupQueries.find(name: parsed.path, connection) else { throw ResourceARN.notFound(arn) }
        try caller.require(datasetGroup: group.id, resource: arn)
        return group
    }

    /// The same, held until the transaction ends: changes of one group come one after another, so that quotas and rules across its
    /// resources hold.
    func lockedDatasetGroup(arn: String, by caller: Caller, _ connection: Connection) throws -> DatasetGroup {
        try lockedDatasetGroup(id: datasetGroup(arn: arn, by: caller, connection).id, connection)
    }

    func lockedDatasetGroup(id: Int32, _ connection: Connection) throws -> DatasetGroup {
        guard let group = try DatasetGroupQueries.findAndLock(id: id, connection) else { throw ResourceARN.notFound("dataset-group/\(id)") }
        return group
    }

    /// Which group a List call is about: the named one, else the one that the caller's key is bound to, else nil for all.
    func listedGroup(arn: String?, by caller: Caller, _ connection: Connection) throws -> Int32? {
        guard let arn else { return caller.datasetGroupID }
        return try datasetGroup(arn: arn, by: caller, connection).id
    }
}

extension DatasetGroup {
    /// An IANA time zone and an ISO 4217 currency.
    public static func checkDisplay(timeZone: String, currency: String) throws(OperationError) {
        guard TimeZone(identifier: timeZone) != nil else {
            throw .invalidInput("'\(timeZone)' is not a time zone. Use an IANA name such as Europe/Berlin.", field: "timeZone")
        }
        guard currency.utf8.count == 3, currency.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
            throw .invalidInput("'\(currency)' is not a currency. Use three capital letters such as EUR.", field: "currency")
        }
    }
}
