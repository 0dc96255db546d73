import FilterLanguage
import JSON
import Postgres
import Ranking

extension Environment {
    /// Makes a place for recommendations. It answers at once: from the catalogue while there is no model.
    public func createPlacement(_ input: PlacementInput, datasetGroupID: Int32, by caller: Caller) throws(OperationError) -> Placement {
        try input.check()
        return try change { connection in
            let group = try marketingGroup(datasetGroupID, by: caller, connection)
            let placement = try insertPlacement(input, group, by: caller, connection)
            try enqueueLadder(group, connection)
            try bumpResources(connection, datasetGroupID: group.id)
            return placement
        }
    }

    /// Makes the placements of a shop's home, product page and cart that do not exist yet, and starts the ladder to their first models.
    @discardableResult
    public func createDefaultPlacements(datasetGroupID: Int32, by caller: Caller) throws(OperationError) -> [Placement] {
        try change { connection in
            let group = try marketingGroup(datasetGroupID, by: caller, connection)
            for input in PlacementInput.defaults
            where try PlacementQueries.find(name: input.name, datasetGroupID: group.id, connection) == nil {
                _ = try insertPlacement(input, group, by: caller, connection)
            }
            try enqueueLadder(group, connection)
            try bumpResources(connection, datasetGroupID: group.id)
            return try PlacementQueries.list(datasetGroupID: group.id, connection)
        }
    }

    public func describePlacement(name: String, datasetGroupID: Int32, by caller: Caller) throws(OperationError) -> Placement {
        try read { try placement(name: name, datasetGroupID: datasetGroupID, by: caller, $0) }
    }

    /// All of a dataset group, in the order in which they were made; at most 100.
    public func listPlacements(datasetGroupID: Int32, by caller: Caller) throws(OperationError) -> [Placement] {
        try caller.require(datasetGroup: datasetGroupID, resource: "dataset-group/\(datasetGroupID)")
        return try read { try PlacementQueries.list(datasetGroupID: datasetGroupID, $0) }
    }

    /// Changes everything of a placement, its name too. The next answer of any worker is the new one's.
    public func updatePlacement(
        name: String, to input: PlacementInput, datasetGroupID: Int32, by caller: Caller
    ) throws(OperationError) -> Placement {
        try input.check()
        return try change { connection in
            let group = try marketingGroup(datasetGroupID, by: caller, connection)
            let old = try placement(name: name, datasetGroupID: group.id, by: caller, connection)
            if !input.name.utf8.elementsEqual(name.utf8),
                try PlacementQueries.find(name: input.name, datasetGroupID: group.id, connection) != nil
            {
                throw OperationError.alreadyExists("A placement named \(input.name) already exists.")
            }
            try PlacementQueries.update(old.id, input, references(input, group, by: caller, connection), at: now(), connection)
            let updated = try placement(name: input.name, datasetGroupID: group.id, by: caller, connection)
            try audit(
                connection, caller, "UpdatePlacement", resource: "placement/\(input.name)", datasetGroupID: group.id,
                parameters: ["before": old.auditJSON, "after": updated.auditJSON])
            if updated.isAutomatic, !old.isAutomatic { try enqueueLadder(group, connection) }
            try bumpResources(connection, datasetGroupID: group.id)
            return updated
        }
    }

    /// Refused while experiments were made on it: their reports would be about nothing.
    public func deletePlacement(name: String, datasetGroupID: Int32, by caller: Caller) throws(OperationError) {
        try change { connection in
            let group = try marketingGroup(datasetGroupID, by: caller, connection)
            let placement = try placement(name: name, datasetGroupID: group.id, by: caller, connection)
            if let experiment = try experiments(onPlacement: placement.id, connection).first {
                throw OperationError.inUse("The experiment '\(experiment.name)' was made on this placement. Delete the experiment first.")
            }
            try PlacementQueries.delete(placement.id, connection)
            try audit(
                connection, caller, "DeletePlacement", resource: "placement/\(name)", datasetGroupID: group.id,
                parameters: ["before": placement.auditJSON])
            try bumpResources(connection, datasetGroupID: group.id)
        }
    }

    func placement(name: String, datasetGroupID: Int32, by caller: Caller, _ connection: Connection) throws -> Placement {
        try caller.require(datasetGroup: datasetGroupID, resource: "placement/\(name)")
        guard let placement = try PlacementQueries.find(name: name, datasetGroupID: datasetGroupID, connection) else {
            throw ResourceARN.notFound("placement/\(name)")
        }
        return placement
    }

    func placement(id: Int32, _ connection: Connection) throws -> Placement? { try PlacementQueries.find(id: id, connection) }

    func placements(ofGroup id: Int32, _ connection: Connection) throws -> [Placement] {
        try PlacementQueries.list(datasetGroupID: id, connection)
    }

    /// The group of a marketer's change, locked, so that rules across its resources hold.
    func marketingGroup(_ id: Int32, by caller: Caller, _ connection: Connection) throws -> DatasetGroup {
        try caller.require(datasetGroup: id, resource: "dataset-group/\(id)")
        return try lockedDatasetGroup(id: id, connection)
    }

    private func insertPlacement(_ input: PlacementInput, _ group: DatasetGroup, by caller: Caller, _ connection: Connection) throws
        -> Placement
    {
        if try PlacementQueries.find(name: input.name, datasetGroupID: group.id, connection) != nil {
            throw OperationError.alreadyExists("A placement named \(input.name) already exists.")
        }
        guard try PlacementQueries.list(datasetGroupID: group.id, connection).count < Placement.groupLimit else {
            throw OperationError.limitExceeded("A dataset group has at most \(Placement.groupLimit) placements.")
        }
        try PlacementQueries.insert(
            input, references(input, group, by: caller, connection), datasetGroupID: group.id, at: now(), connection)
        let placement = try placement(name: input.name, datasetGroupID: group.id, by: caller, connection)
        try audit(
            connection, caller, "CreatePlacement", resource: "placement/\(input.name)", datasetGroupID: group.id,
            parameters: ["after": placement.auditJSON])
        return placement
    }

    private func references(
        _ input: PlacementInput, _ group: DatasetGroup, by caller: Caller, _ connection: Connection
    ) throws -> PlacementQueries.References {
        PlacementQueries.References(
            campaignID: try campaignID(named: input.campaign, in: group, by: caller, connection),
            filterID: try filterID(named: input.filter, in: group, by: caller, connection))
    }

    /// The campaign that a placement or an arm names; it has to belong to the group.
    func campaignID(named name: String?, in group: DatasetGroup, by caller: Caller, _ connection: Connection) throws -> Int32? {
        guard let name else { return nil }
        let campaign = try campaign(arn: arn(.campaign, name, for: caller), by: caller, connection)
        guard campaign.datasetGroupID == group.id else {
            throw OperationError.invalidInput("The campaign \(name) belongs to another dataset group.", field: "campaign")
        }
        guard try !solution(id: campaign.solutionID, connection).recipe.description.proposesActions else {
            throw OperationError.invalidInput("The campaign \(name) proposes actions, which no placement shows.", field: "campaign")
        }
        return campaign.id
    }

    /// The filter that a placement or an arm names. One with placeholders is refused: nobody would give their values.
    func filterID(named name: String?, in group: DatasetGroup, by caller: Caller, _ connection: Connection) throws -> Int32? {
        guard let name else { return nil }
        let filter = try filter(arn: arn(.filter, name, for: caller), by: caller, connection)
        guard filter.datasetGroupID == group.id else {
            throw OperationError.invalidInput("The filter \(name) belongs to another dataset group.", field: "filter")
        }
        if let placeholder = try? FilterExpression(parsing: filter.expression).placeholders.first(where: \.isRequired) {
            throw OperationError.invalidInput(
                "The filter \(name) needs a value for $\(placeholder.name), which a placement cannot give.", field: "filter")
        }
        return filter.id
    }

    private func enqueueLadder(_ group: DatasetGroup, _ connection: Connection) throws {
        try enqueue(
            NewJob(
                kind: .advanceGroup, payload: ["datasetGroupID": .integer(Int64(group.id))], datasetGroupID: group.id,
                uniqueKey: "advance-group:\(group.id)"),
            connection)
    }
}

extension Placement {
    /// What an audit entry keeps of it.
    var auditJSON: JSONValue {
        [
            "name": .string(name), "title": .string(title), "purpose": .string(purpose.rawValue),
            "campaign": campaignName.map { .string($0) } ?? .null, "filter": filterName.map { .string($0) } ?? .null,
            "itemCount": .integer(Int64(itemCount)), "fallback": .string(fallback.rawValue), "isAutomatic": .bool(isAutomatic),
        ]
    }
}
