import JSON
import Tastemaker

enum CampaignWire {
    static func create(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let campaign = try call.environment.createCampaign(
            CreateCampaignInput(
                name: try call.required("name"), solutionVersionARN: try call.required("solutionVersionArn"),
                minProvisionedTPS: try call.members.int("minProvisionedTPS"), config: call.members.value("campaignConfig"),
                tags: try call.tags()),
            by: call.caller)
        out.member("campaignArn", call.arn(.campaign, campaign.name))
    }

    static func describe(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let campaign = try call.environment.describeCampaign(arn: call.required("campaignArn"), by: call.caller)
        out.object("campaign") { out in
            head(campaign, call, &out)
            out.member("solutionVersionArn", call.arn(.solution, campaign.versionPath))
            out.member("minProvisionedTPS", integer: Int64(campaign.minProvisionedTPS))
            out.member("campaignConfig", json: campaign.config)
            guard let update = campaign.latestUpdate else { return }
            out.object("latestCampaignUpdate") { out in
                out.member("solutionVersionArn", call.arn(.solution, update.versionPath))
                out.member("minProvisionedTPS", integer: Int64(update.minProvisionedTPS))
                out.member("campaignConfig", json: update.config)
                out.lifecycle(status: update.status, created: update.createdAt, updated: update.updatedAt)
            }
        }
    }

    static func list(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let page = try call.environment.listCampaigns(solutionARN: call.optional("solutionArn"), call.page(), by: call.caller)
        out.page("campaigns", page) { out, campaign in head(campaign, call, &out) }
    }

    static func update(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let campaign = try call.environment.updateCampaign(
            UpdateCampaignInput(
                campaignARN: try call.required("campaignArn"), solutionVersionARN: try call.optional("solutionVersionArn"),
                minProvisionedTPS: try call.members.int("minProvisionedTPS"), config: call.members.value("campaignConfig")),
            by: call.caller)
        out.member("campaignArn", call.arn(.campaign, campaign.name))
    }

    static func delete(_ call: ControlCall, _ out: inout JSONWriter) throws {
        try call.environment.deleteCampaign(arn: call.required("campaignArn"), by: call.caller)
    }

    private static func head(_ campaign: Campaign, _ call: ControlCall, _ out: inout JSONWriter) {
        out.member("name", campaign.name)
        out.member("campaignArn", call.arn(.campaign, campaign.name))
        out.lifecycle(
            status: campaign.status.rawValue, failureReason: campaign.failureReason, created: campaign.createdAt,
            updated: campaign.updatedAt)
    }
}
