import FilterLanguage
import JSON
import Postgres

extension Environment {
    /// Stores a filter after checking its expression against the columns of the group's datasets. It acts in the next answer.
    public func createFilter(_ input: CreateFilterInput, by caller: Caller) throws(OperationError) -> Filter {
        try Check.name(input.name)
        let field = "filterExpression"
        try Check.length(input.expression, 1...FilterExpression.maximumLength, field: field)
        let expression = try parse(input.expression)
        return try change { connection in
            let group = try lockedDatasetGroup(arn: input.datasetGroupARN, by: caller, connection)
            guard group.status == .active else { throw OperationError.inUse("The dataset group is in status \(group.status.rawValue).") }
            if try FilterQueries.find(name: input.name, connection) != nil {
                throw OperationError.alreadyExists("A filter named \(input.name) already exists.")
            }
            let schema = FilterSchema(schemas: try schemas(ofGroup: group.id, connection))
            do throws(FilterError) { _ = try expression.checked(against: schema) } catch { throw refused(error) }
            try requireRoom(for: expression, in: group, connection)
            try FilterQueries.insert(input, datasetGroupID: group.id, at: now(), connection)
            let resource = "filter/\(input.name)"
            try setTags(input.tags, on: resource, connection)
            try audit(connection, caller, "CreateFilter", resource: resource, datasetGroupID: group.id)
            try bumpResources(connection, datasetGroupID: group.id)
            return try filter(name: input.name, connection)
        }
    }

    public func describeFilter(arn: String, by caller: Caller) throws(OperationError) -> Filter {
        try read { try filter(arn: arn, by: caller, $0) }
    }

    public func listFilters(datasetGroupARN: String?, _ request: PageRequest, by caller: Caller) throws(OperationError) -> Page<Filter> {
        try page(request, scope: "ListFilters \(datasetGroupARN ?? "")") { cursor, limit, connection in
            try FilterQueries.list(
                ofGroup: listedGroup(arn: datasetGroupARN, by: caller, connection), after: cursor, limit: limit, connection)
        }
    }

    /// Refused while a placement or an experiment uses the filter: it would silently show what was excluded.
    public func deleteFilter(arn: String, by caller: Caller) throws(OperationError) {
        try change { connection in
            let filter = try filter(arn: arn, by: caller, connection)
            guard filter.status.isDeletable else { throw OperationError.inUse("The filter is in status \(filter.status.rawValue).") }
            _ = try lockedDatasetGroup(id: filter.datasetGroupID, connection)
            if let user = try FilterQueries.user(of: filter.id, connection) {
                throw OperationError.inUse("The filter \(filter.name) is used by the \(user).")
            }
            let resource = "filter/\(filter.name)"
            try deleteTags(of: resource, connection)
            try FilterQueries.delete(filter.id, connection)
            try audit(connection, caller, "DeleteFilter", resource: resource, datasetGroupID: filter.datasetGroupID)
            try bumpResources(connection, datasetGroupID: filter.datasetGroupID)
        }
    }

    func filter(arn: String, by caller: Caller, _ connection: Connection) throws -> Filter {
        let parsed = try ResourceARN(parsing: arn, .filter, field: "filterArn")
        guard let filter = try FilterQueries.find(name: parsed.path, connection) else { throw ResourceARN.notFound(arn) }
        try caller.require(datasetGroup: filter.datasetGroupID, resource: arn)
        return filter
    }

    private func filter(name: String, _ connection: Connection) throws -> Filter {
        guard let filter = try FilterQueries.find(name: name, connection) else { throw ResourceARN.notFound("filter/\(name)") }
        return filter
    }

    private func parse(_ text: String) throws(OperationError) -> FilterExpression {
        do throws(FilterError) { return try FilterExpression(parsing: text) } catch { throw refused(error) }
    }

    private func refused(_ error: FilterError) -> OperationError {
        .invalidInput("Could not create filter. \(error.description)", field: "filterExpression")
    }

    private func requireRoom(for expression: FilterExpression, in group: DatasetGroup, _ connection: Connection) throws {
        let others = try FilterQueries.all(ofGroup: group.id, connection)
        guard others.count < Filter.groupLimit else {
            throw OperationError.limitExceeded(
                "The dataset group already has \(Filter.groupLimit) filters. Please delete some and try again.")
        }
        var fields = Set(expression.fields)
        for other in others { fields.formUnion((try? FilterExpression(parsing: other.expression))?.fields ?? []) }
        guard fields.count <= Filter.groupFieldLimit else {
            throw OperationError.limitExceeded(
                "The filters of the dataset group would use \(fields.count) distinct fields; at most \(Filter.groupFieldLimit) are allowed."
            )
        }
    }
}
