import Foundation
import Postgres
import Storage

extension Environment {
    /// The demo shop's dataset group; nil when it is not loaded.
    public func demoGroup() throws(OperationError) -> DatasetGroup? {
        let group = try read { try DatasetGroupQueries.find(name: DemoShop.groupName, $0) }
        return group?.isSimulated == true ? group : nil
    }

    /// Removes the demo shop with everything that was made for it, by the operations that anybody would use, in the order that
    /// dependencies ask for. Interrupted, it can be started again. Does nothing when there is none.
    public func removeDemo(by caller: Caller) throws(OperationError) {
        guard let group = try demoGroup() else { return }
        try caller.requireWholeAccount()
        try endJobs(of: group, by: caller)
        try removeExperiments(of: group, by: caller)
        let groupARN = arn(.datasetGroup, group.name, for: caller)
        let everything = try PageRequest()
        // A caller bound to the group is listed the group's alone.
        let bound = Caller(caller.actor, datasetGroupID: group.id, region: caller.region, requestID: caller.requestID)
        for campaign in try listCampaigns(solutionARN: nil, everything, by: bound).items {
            try deleteCampaign(arn: arn(.campaign, campaign.name, for: caller), by: caller)
        }
        for solution in try listSolutions(datasetGroupARN: groupARN, everything, by: caller).items {
            try endAndDelete(solution, of: group, by: caller)
        }
        for filter in try listFilters(datasetGroupARN: groupARN, everything, by: caller).items {
            try deleteFilter(arn: arn(.filter, filter.name, for: caller), by: caller)
        }
        for tracker in try listEventTrackers(datasetGroupARN: groupARN, everything, by: caller).items {
            try deleteEventTracker(arn: arn(.eventTracker, tracker.suffix, for: caller), by: caller)
        }
        var schemas: [String] = []
        for dataset in try listDatasets(datasetGroupARN: groupARN, everything, by: caller).items {
            schemas.append(dataset.schemaName)
            try deleteDataset(arn: arn(.dataset, dataset.path, for: caller), by: caller)
        }
        for schema in schemas where schema.hasPrefix(DemoShop.groupName) {
            try deleteSchema(arn: arn(.schema, schema, for: caller), by: caller)
        }
        try change { try DemoQueries.deleteTraces(group.id, $0) }
        try deleteDatasetGroup(arn: groupARN, by: caller)
        try removeDemoFiles(groupID: group.id)
    }

    /// Before the campaigns, which they hold as arms.
    private func removeExperiments(of group: DatasetGroup, by caller: Caller) throws(OperationError) {
        for experiment in try listExperiments(datasetGroupID: group.id, by: caller) {
            if experiment.state == .running { _ = try stopExperiment(experiment.id, reason: "The demo shop is removed.", by: caller) }
            try deleteExperiment(experiment.id, by: caller)
        }
    }

    /// Ends what waits or runs for the group, with the resources that it was for.
    private func endJobs(of group: DatasetGroup, by caller: Caller) throws(OperationError) {
        let deadline = Date(timeIntervalSinceNow: 30)
        var asked: Set<Int64> = []
        while true {
            let jobs = try listJobs(datasetGroupID: group.id, states: [.available, .running], by: caller)
            if jobs.isEmpty { return }
            guard Date() < deadline else {
                throw .inUse("A job of the demo shop does not end. Stop `tastemaker work`, or try again in a minute.")
            }
            for job in jobs where asked.insert(job.id).inserted {
                do { _ = try cancelJob(id: job.id, by: caller) } catch {
                    // It has ended by itself meanwhile.
                    guard case .inUse = error else { throw error }
                }
            }
            Thread.sleep(forTimeInterval: 0.2)
        }
    }

    /// A schedule may have begun one more training since the jobs were ended.
    private func endAndDelete(_ solution: Solution, of group: DatasetGroup, by caller: Caller) throws(OperationError) {
        let deadline = Date(timeIntervalSinceNow: 30)
        while true {
            do {
                return try deleteSolution(arn: arn(.solution, solution.name, for: caller), by: caller)
            } catch {
                guard case .inUse = error, Date() < deadline else { throw error }
                try endJobs(of: group, by: caller)
            }
        }
    }

    private func removeDemoFiles(groupID: Int32) throws(OperationError) {
        do {
            for artifact in try artifacts.list(prefix: "models/g\(groupID)/") { try artifacts.delete(artifact.key) }
        } catch {
            throw .unavailable("The demo shop is removed, but not its model files: \(error)")
        }
        for name in DemoShop.uploads { try? FileManager.default.removeItem(atPath: "\(settings.uploadFolder)/\(name)") }
    }
}

extension DemoShop {
    /// Names of the files that the import reads.
    static let uploads = ["items", "users", "interactions"].map { "\(groupName)-\($0).csv" }
}
