import JSON
import Postgres
import Ranking

extension Environment {
    /// Deploys a trained version. Workers have it in their next answer.
    public func createCampaign(_ input: CreateCampaignInput, by caller: Caller) throws(OperationError) -> Campaign {
        try Check.name(input.name)
        if let tps = input.minProvisionedTPS { try Check.range(tps, 1...Int(Int32.max), field: "minProvisionedTPS") }
        let config = try CampaignConfig(input.config)
        return try change { connection in
            let version = try deployable(input.solutionVersionARN, follows: config.followsLatestVersion, by: caller, connection)
            try config.requireFit(version.solution.recipe)
            let group = try lockedDatasetGroup(id: version.solution.datasetGroupID, connection)
            if try CampaignQueries.find(name: input.name, connection) != nil {
                throw OperationError.alreadyExists("A campaign named \(input.name) already exists.")
            }
            try CampaignQueries.insert(input, version: version, at: now(), connection)
            let resource = "campaign/\(input.name)"
            try setTags(input.tags, on: resource, connection)
            try audit(
                connection, caller, "CreateCampaign", resource: resource, datasetGroupID: group.id,
                parameters: ["solutionVersion": .string(version.path), "campaignConfig": input.config ?? .null])
            try bumpResources(connection, datasetGroupID: group.id)
            return try campaign(name: input.name, connection)
        }
    }

    public func describeCampaign(arn: String, by caller: Caller) throws(OperationError) -> Campaign {
        try read { try campaign(arn: arn, by: caller, $0) }
    }

    public func listCampaigns(solutionARN: String?, _ request: PageRequest, by caller: Caller) throws(OperationError) -> Page<Campaign> {
        try page(request, scope: "ListCampaigns \(solutionARN ?? "")") { cursor, limit, connection in
            var solutionID: Int32?
            if let solutionARN { solutionID = try solution(arn: solutionARN, by: caller, connection).id }
            return try CampaignQueries.list(
                solutionID: solutionID, groupID: caller.datasetGroupID, after: cursor, limit: limit, connection)
        }
    }

    /// Moves the campaign to another version of its dataset group, or changes its configuration. Without any change it is allowed too.
    public func updateCampaign(_ input: UpdateCampaignInput, by caller: Caller) throws(OperationError) -> Campaign {
        if let tps = input.minProvisionedTPS { try Check.range(tps, 1...Int(Int32.max), field: "minProvisionedTPS") }
        _ = try CampaignConfig(input.config)
        return try change { connection in
            let found = try campaign(arn: input.campaignARN, by: caller, connection)
            _ = try lockedDatasetGroup(id: found.datasetGroupID, connection)
            let campaign = try campaign(name: found.name, connection)
            guard campaign.status == .active || campaign.status == .createFailed else {
                throw OperationError.inUse("The campaign is in status \(campaign.status.rawValue).")
            }
            let given = input.config?.withoutNulls
            let version = try nextVersion(of: campaign, input, by: caller, connection)
            try CampaignConfig(given).requireFit(version.solution.recipe)
            let update = CampaignUpdate(
                versionPath: version.path,
                minProvisionedTPS: input.minProvisionedTPS.map { Int32(clamping: $0) } ?? campaign.minProvisionedTPS,
                config: given ?? campaign.config, status: ResourceStatus.active.rawValue, createdAt: now(), updatedAt: now())
            try CampaignQueries.update(
                campaign.id, .init(version: (version.id, version.solution.id), update: update), at: now(), connection)
            try audit(
                connection, caller, "UpdateCampaign", resource: "campaign/\(campaign.name)", datasetGroupID: campaign.datasetGroupID,
                parameters: ["solutionVersion": .string(version.path), "previousSolutionVersion": .string(campaign.versionPath)])
            try bumpResources(connection, datasetGroupID: campaign.datasetGroupID)
            return try self.campaign(name: campaign.name, connection)
        }
    }

    /// Placements that show the campaign go on with their fallback; an experiment that has it as an arm keeps it.
    public func deleteCampaign(arn: String, by caller: Caller) throws(OperationError) {
        try change { connection in
            let campaign = try campaign(arn: arn, by: caller, connection)
            guard campaign.status.isDeletable else { throw OperationError.inUse("The campaign is in status \(campaign.status.rawValue).") }
            _ = try lockedDatasetGroup(id: campaign.datasetGroupID, connection)
            if let experiment = try CampaignQueries.experiment(using: campaign.id, connection) {
                throw OperationError.inUse("The campaign \(campaign.name) is an arm of the experiment \(experiment).")
            }
            let resource = "campaign/\(campaign.name)"
            try deleteTags(of: resource, connection)
            try CampaignQueries.delete(campaign.id, connection)
            try audit(connection, caller, "DeleteCampaign", resource: resource, datasetGroupID: campaign.datasetGroupID)
            try bumpResources(connection, datasetGroupID: campaign.datasetGroupID)
        }
    }

    /// Moves every campaign that follows the solution to a version that became ACTIVE, in the transaction that makes it so.
    func advanceFollowers(to version: SolutionVersion, _ connection: Connection) throws {
        for campaign in try CampaignQueries.followers(of: version.solution.id, connection) where campaign.solutionVersionID != version.id {
            let update = CampaignUpdate(
                versionPath: version.path, minProvisionedTPS: campaign.minProvisionedTPS, config: campaign.config,
                status: ResourceStatus.active.rawValue, createdAt: now(), updatedAt: now())
            try CampaignQueries.update(
                campaign.id, .init(version: (version.id, version.solution.id), update: update), at: now(), connection)
            try audit(
                connection, .system, "UpdateCampaign", resource: "campaign/\(campaign.name)", datasetGroupID: campaign.datasetGroupID,
                parameters: ["solutionVersion": .string(version.path), "previousSolutionVersion": .string(campaign.versionPath)])
        }
    }

    func campaign(arn: String, by caller: Caller, _ connection: Connection) throws -> Campaign {
        let parsed = try ResourceARN(parsing: arn, .campaign, field: "campaignArn")
        guard let campaign = try CampaignQueries.find(name: parsed.path, connection) else { throw ResourceARN.notFound(arn) }
        try caller.require(datasetGroup: campaign.datasetGroupID, resource: arn)
        return campaign
    }

    func campaign(name: String, _ connection: Connection) throws -> Campaign {
        guard let campaign = try CampaignQueries.find(name: name, connection) else { throw ResourceARN.notFound("campaign/\(name)") }
        return campaign
    }

    /// The version that a campaign is to serve: named, or the newest ACTIVE one for `$LATEST` and for a solution's ARN.
    private func deployable(_ arn: String, follows: Bool, by caller: Caller, _ connection: Connection) throws -> SolutionVersion {
        let field = "solutionVersionArn"
        let parsed = try ResourceARN(parsing: arn, .solution, field: field)
        let parts = parsed.path.split(separator: "/", omittingEmptySubsequences: false)
        let isLatest = parts.count == 2 && parts[1] == "$LATEST"
        if follows, !isLatest {
            throw OperationError.invalidInput(
                "syncWithLatestSolutionVersion needs a solutionVersionArn that ends in /$LATEST.", field: field)
        }
        guard isLatest || parts.count == 1 else { return try active(solutionVersion(arn: arn, by: caller, connection)) }
        let solutionARN = self.arn(.solution, String(parts[0]), for: caller)
        let solution = try solution(arn: solutionARN, by: caller, connection)
        guard let version = try latestActiveVersion(of: solution, connection) else {
            throw OperationError.inUse("The solution \(solution.name) has no ACTIVE version yet.")
        }
        return try active(version)
    }

    private func active(_ version: SolutionVersion) throws(OperationError) -> SolutionVersion {
        guard version.status == .active else { throw .inUse("The solution version is in status \(version.status.rawValue), not ACTIVE.") }
        let recipe = version.solution.recipe
        guard !recipe.description.makesSegments else {
            throw .invalidInput(
                "The recipe \(recipe.rawValue) answers in batch segment jobs alone, not in campaigns.", field: "solutionVersionArn")
        }
        return version
    }

    private func nextVersion(
        of campaign: Campaign, _ input: UpdateCampaignInput, by caller: Caller, _ connection: Connection
    ) throws -> SolutionVersion {
        let follows = try CampaignConfig(input.config?.withoutNulls ?? campaign.config).followsLatestVersion
        if let arn = input.solutionVersionARN {
            // A configuration that stays as it is does not forbid a move: only a sync asked for now needs $LATEST.
            let isAsked = try CampaignConfig(input.config).followsLatestVersion
            let version = try deployable(arn, follows: isAsked, by: caller, connection)
            guard version.solution.datasetGroupID == campaign.datasetGroupID else {
                throw OperationError.invalidInput("The solution version belongs to another dataset group.", field: "solutionVersionArn")
            }
            return version
        }
        let current = try solutionVersion(id: campaign.solutionVersionID, connection)
        guard follows else { return current }
        return try latestActiveVersion(of: current.solution, connection) ?? current
    }
}
