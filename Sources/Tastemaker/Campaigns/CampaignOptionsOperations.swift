import FilterLanguage
import JSON
import Postgres
import Ranking

extension Environment {
    public func describeCampaignOptions(arn: String, by caller: Caller) throws(OperationError) -> CampaignOptions {
        try read { try campaign(arn: arn, by: caller, $0).options }
    }

    /// The options in place of those that were. Workers have them in their next answer.
    public func updateCampaignOptions(arn: String, _ options: CampaignOptions, by caller: Caller) throws(OperationError) -> CampaignOptions
    {
        try change { connection in
            let campaign = try campaign(arn: arn, by: caller, connection)
            _ = try lockedDatasetGroup(id: campaign.datasetGroupID, connection)
            guard try !solution(id: campaign.solutionID, connection).recipe.description.proposesActions else {
                throw OperationError.invalidInput("A campaign that proposes actions puts no items in order.", field: "options")
            }
            let options = try checked(options, groupID: campaign.datasetGroupID, connection)
            try CampaignQueries.setOptions(campaign.id, options.isNone ? nil : options.json, at: now(), connection)
            try audit(
                connection, caller, "UpdateCampaignOptions", resource: "campaign/\(campaign.name)", datasetGroupID: campaign.datasetGroupID,
                parameters: ["options": options.json, "previousOptions": campaign.options.json])
            try bumpResources(connection, datasetGroupID: campaign.datasetGroupID)
            return options
        }
    }

    /// Options that are only to be tried out, checked as those that are stored.
    public func checkedCampaignOptions(arn: String, _ options: CampaignOptions, by caller: Caller) throws(OperationError) -> CampaignOptions
    {
        try read { try checked(options, groupID: try campaign(arn: arn, by: caller, $0).datasetGroupID, $0) }
    }

    /// Columns of Items that options can name.
    public func campaignOptionColumns(datasetGroupID: Int32) throws(OperationError) -> (texts: [String], numbers: [String]) {
        let definitions = try read { CatalogueSchema(try schemas(ofGroup: datasetGroupID, $0)[.items]).definitions }
        return (definitions.filter { $0.kind != .number }.map(\.name), definitions.filter { $0.kind == .number }.map(\.name))
    }

    private func checked(_ options: CampaignOptions, groupID: Int32, _ connection: Connection) throws -> CampaignOptions {
        try options.checked(against: CatalogueSchema(try schemas(ofGroup: groupID, connection)[.items]))
    }
}
