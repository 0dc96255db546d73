import JSON
import Tastemaker

/// Runtime requests, checked against the contract's limits.
enum RuntimeRequest {
    static func recommendations(_ members: InputMembers) throws -> RecommendationRequest {
        guard try members.string("recommenderArn") == nil else {
            throw OperationError.notFound("Recommenders are not offered here. Use a campaign.")
        }
        var request = try base(members)
        request.itemID = try members.string("itemId", length: 1...256)
        request.count = try count(members, withMetadata: !request.metadataColumns.isEmpty)
        request.promotion = try promotion(members)
        return request
    }

    static func ranking(_ members: InputMembers) throws -> RecommendationRequest {
        var request = try base(members)
        let limit = request.metadataColumns.isEmpty ? 500 : 50
        let list = try Check.required(try members.strings("inputList", count: 1...limit), field: "inputList")
        for item in list { try Check.externalID(item, field: "inputList") }
        _ = try Check.required(request.userID, field: "userId")
        request.inputList = list
        return request
    }

    private static func base(_ members: InputMembers) throws -> RecommendationRequest {
        let arn = try Check.required(try members.string("campaignArn"), field: "campaignArn")
        let campaign = try ResourceARN(parsing: arn, .campaign, field: "campaignArn")
        var request = RecommendationRequest(target: .campaign(name: campaign.path))
        request.userID = try members.string("userId", length: 1...256)
        request.context = try context(members)
        request.filter = try filter(members)
        request.metadataColumns = try metadataColumns(members)
        return request
    }

    /// 0 means the default of 25; at most 500, or 50 with metadata.
    private static func count(_ members: InputMembers, withMetadata: Bool) throws -> Int? {
        guard let count = try members.int("numResults"), count != 0 else { return nil }
        try Check.range(count, 0...(withMetadata ? 50 : 500), field: "numResults")
        return count
    }

    private static func context(_ members: InputMembers) throws -> [String: String] {
        let context = try members.map("context", keys: 150) ?? [:]
        for (name, value) in context {
            try Check.length(name, 1...150, field: "context")
            try Check.length(value, 0...1000, field: "context")
        }
        return context
    }

    private static func filter(_ members: InputMembers) throws -> RecommendationRequest.FilterUse? {
        guard let arn = try members.string("filterArn") else { return nil }
        let filter = try ResourceARN(parsing: arn, .filter, field: "filterArn")
        let values = try members.map("filterValues", keys: 25) ?? [:]
        for (name, value) in values {
            try Check.length(name, 1...50, field: "filterValues")
            try Check.length(value, 0...1000, field: "filterValues")
        }
        return .init(name: filter.path, values: values)
    }

    private static func promotion(_ members: InputMembers) throws -> RecommendationRequest.PromotedShare? {
        guard let promotion = try members.list("promotions", count: 0...1)?.first else { return nil }
        let name = try promotion.string("name")
        if let name { try Check.name(name, field: "promotions.1.member.name") }
        let percent = try Check.required(try promotion.int("percentPromotedItems"), field: "promotions.1.member.percentPromotedItems")
        try Check.range(percent, 1...100, field: "promotions.1.member.percentPromotedItems")
        return .init(name: name, percent: percent, filter: try filter(promotion))
    }

    /// One key, ITEMS in any case, with at most ten columns.
    private static func metadataColumns(_ members: InputMembers) throws -> [String] {
        guard let metadata = try members.members("metadataColumns"), let name = metadata.object.members.first?.name else { return [] }
        guard metadata.object.members.count == 1, name.uppercased() == "ITEMS" else {
            throw OperationError.invalidInput("metadataColumns takes the one key ITEMS.", field: "metadataColumns")
        }
        return try metadata.strings(name, count: 0...10) ?? []
    }
}
