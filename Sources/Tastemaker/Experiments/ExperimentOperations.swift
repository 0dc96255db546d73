import Crypto
import JSON
import Postgres

extension Environment {
    /// Stores a draft with its primary metric and its end. Nobody takes part before it is started.
    public func createExperiment(_ input: ExperimentInput, datasetGroupID: Int32, by caller: Caller) throws(OperationError) -> Experiment {
        try input.check(now: now())
        return try change { connection in
            let group = try marketingGroup(datasetGroupID, by: caller, connection)
            let placement = try placement(name: input.placement, datasetGroupID: group.id, by: caller, connection)
            if try ExperimentQueries.exists(name: input.name, datasetGroupID: group.id, connection) {
                throw OperationError.alreadyExists("An experiment named '\(input.name)' already exists.")
            }
            let id = try ExperimentQueries.insert(
                input, placementID: placement.id, datasetGroupID: group.id, seed: input.seed ?? SecureRandom.token(.base64URL, length: 16),
                author: caller.auditName, at: now(), connection)
            let known = Set(try promotions(ofGroup: group.id, connection).map(\.id))
            for (ordinal, arm) in input.arms.enumerated() {
                if case .listed(let ids) = arm.promotions, let unknown = ids.first(where: { !known.contains($0) }) {
                    throw OperationError.invalidInput("There is no promotion \(unknown).", field: "arms")
                }
                let new = ExperimentQueries.NewArm(
                    ordinal: Int16(ordinal), input: arm, campaignID: try campaignID(named: arm.campaign, in: group, by: caller, connection),
                    filterID: try filterID(named: arm.filter, in: group, by: caller, connection))
                try ExperimentQueries.insertArm(new, experimentID: id, connection)
            }
            let experiment = try experiment(id, by: caller, connection)
            try audit(
                connection, caller, "CreateExperiment", resource: "experiment/\(id)", datasetGroupID: group.id,
                parameters: experiment.auditJSON)
            return experiment
        }
    }

    /// From now on the placement's visitors fall into the arms. One experiment at a time runs on a placement.
    public func startExperiment(_ id: Int32, by caller: Caller) throws(OperationError) -> Experiment {
        try change { connection in
            let old = try lockedExperiment(id, by: caller, connection)
            guard old.plannedEndAt > now() else {
                throw OperationError.inUse("Its planned end has passed. Make a new experiment with a later end.")
            }
            let others = try ExperimentQueries.list(placementID: old.placementID, connection)
            if let other = others.first(where: { $0.state == .running }) {
                throw OperationError.inUse("The experiment '\(other.name)' runs on this placement. Stop it first.")
            }
            guard try ExperimentQueries.start(id, at: now(), connection) else {
                throw OperationError.inUse("The experiment is \(old.state.rawValue): only a draft can be started.")
            }
            return try finishChange("StartExperiment", id, old.datasetGroupID, by: caller, connection)
        }
    }

    /// Ends it: the placement shows to everybody what it has itself. Stopped before its planned end, it gets no verdict.
    public func stopExperiment(_ id: Int32, reason: String = "", by caller: Caller) throws(OperationError) -> Experiment {
        try Check.length(reason, 0...1000, field: "reason")
        return try change { connection in
            let old = try lockedExperiment(id, by: caller, connection)
            guard try ExperimentQueries.stop(id, reason: reason, at: now(), connection) else {
                throw OperationError.inUse("The experiment is \(old.state.rawValue): only a running one can be stopped.")
            }
            return try finishChange("StopExperiment", id, old.datasetGroupID, by: caller, connection)
        }
    }

    /// Stops what has reached its planned end: the fixed mode reads the figures of that day, and whoever is assigned later counts nowhere.
    func endOverdueExperiments() throws {
        let overdue = try read { connection in try ExperimentQueries.overdue(at: now(), connection) }
        for id in overdue {
            do throws(OperationError) {
                _ = try stopExperiment(id, reason: Experiment.plannedEndReason, by: .system)
            } catch {
                // Stopped or deleted by somebody in this moment.
                if error.isOutage { throw error }
            }
        }
    }

    /// With everything that was counted for it. A running one has to be stopped first.
    public func deleteExperiment(_ id: Int32, by caller: Caller) throws(OperationError) {
        try change { connection in
            let old = try lockedExperiment(id, by: caller, connection)
            guard old.state != .running else { throw OperationError.inUse("The experiment runs. Stop it first.") }
            try ExperimentQueries.delete(id, connection)
            try audit(
                connection, caller, "DeleteExperiment", resource: "experiment/\(id)", datasetGroupID: old.datasetGroupID,
                parameters: old.auditJSON)
        }
    }

    public func describeExperiment(_ id: Int32, by caller: Caller) throws(OperationError) -> Experiment {
        try read { try experiment(id, by: caller, $0) }
    }

    /// Newest first.
    public func listExperiments(datasetGroupID: Int32, by caller: Caller) throws(OperationError) -> [Experiment] {
        try caller.require(datasetGroup: datasetGroupID, resource: "dataset-group/\(datasetGroupID)")
        return try read { try ExperimentQueries.list(datasetGroupID: datasetGroupID, $0) }
    }

    func experiment(_ id: Int32, by caller: Caller, _ connection: Connection) throws -> Experiment {
        guard let experiment = try ExperimentQueries.find(id, connection) else { throw ResourceARN.notFound("experiment/\(id)") }
        try caller.require(datasetGroup: experiment.datasetGroupID, resource: "experiment/\(id)")
        return experiment
    }

    func experiments(onPlacement id: Int32, _ connection: Connection) throws -> [Experiment] {
        try ExperimentQueries.list(placementID: id, connection)
    }

    func experiments(ofGroup id: Int32, _ connection: Connection) throws -> [Experiment] {
        try ExperimentQueries.list(datasetGroupID: id, connection)
    }

    private func lockedExperiment(_ id: Int32, by caller: Caller, _ connection: Connection) throws -> Experiment {
        _ = try marketingGroup(experiment(id, by: caller, connection).datasetGroupID, by: caller, connection)
        return try experiment(id, by: caller, connection)
    }

    private func finishChange(
        _ action: String, _ id: Int32, _ groupID: Int32, by caller: Caller, _ connection: Connection
    ) throws -> Experiment {
        let changed = try experiment(id, by: caller, connection)
        try audit(
            connection, caller, action, resource: "experiment/\(id)", datasetGroupID: groupID, parameters: ["name": .string(changed.name)])
        try bumpResources(connection, datasetGroupID: groupID)
        return changed
    }
}
