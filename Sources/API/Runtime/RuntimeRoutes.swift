import JSON
import Tastemaker
import Web

/// The restJson1 door for recommendations.
enum RuntimeRoutes {
    static let all: [APIRoute] =
        APIRoutes.prefixed("/recommendations", name: "GetRecommendations") { context, request in
            try answer(&context, request, "GetRecommendations", list: "itemList", RuntimeRequest.recommendations)
        }
        + APIRoutes.prefixed("/personalize-ranking", name: "GetPersonalizedRanking") { context, request in
            try answer(&context, request, "GetPersonalizedRanking", list: "personalizedRanking", RuntimeRequest.ranking)
        }
        + APIRoutes.prefixed("/action-recommendations", name: "GetActionRecommendations", handler: actions)

    private static func answer(
        _ context: inout APIContext, _ request: Request, _ action: String, list: StaticString,
        _ read: (InputMembers) throws -> RecommendationRequest
    ) throws -> Response {
        let caller = try context.requireCaller()
        let members = InputMembers(try WireBody.object(request))
        do {
            let answer = try context.services.recommendations.recommend(try read(members), by: caller)
            var response = Response(.ok, contentType: WireStyle.rest.contentType, body: json(answer, list: list))
            // The contract's answer has no member for it.
            if answer.isDegraded { response.setHeader("X-Tastemaker-Degraded", "true") }
            return response
        } catch {
            DeniedCalls.note(error, action: action, members: members, caller: caller, environment: context.environment)
            throw error
        }
    }

    private static func actions(_ context: inout APIContext, _ request: Request) throws -> Response {
        let caller = try context.requireCaller()
        let members = InputMembers(try WireBody.object(request))
        do {
            let answer = try context.services.recommendations.proposeActions(try RuntimeRequest.actions(members), by: caller)
            var out = JSONWriter(reserving: 64 + answer.actions.count * 48)
            out.beginObject()
            out.list("actionList", answer.actions) { out, action in
                out.member("actionId", action.actionID)
                out.member("score", number: action.score, decimals: 7)
            }
            out.member("recommendationId", answer.recommendationID)
            out.endObject()
            var response = Response(.ok, contentType: WireStyle.rest.contentType, body: out.bytes)
            if answer.isDegraded { response.setHeader("X-Tastemaker-Degraded", "true") }
            return response
        } catch {
            DeniedCalls.note(
                error, action: "GetActionRecommendations", members: members, caller: caller, environment: context.environment)
            throw error
        }
    }

    private static func json(_ answer: RecommendationAnswer, list: StaticString) -> [UInt8] {
        var out = JSONWriter(reserving: 64 + answer.items.count * 64)
        out.beginObject()
        out.key(list)
        out.beginArray()
        for item in answer.items { write(item, answer, &out) }
        out.endArray()
        out.member("recommendationId", answer.recommendationID)
        out.endObject()
        return out.bytes
    }

    private static func write(_ item: RecommendedItem, _ answer: RecommendationAnswer, _ out: inout JSONWriter) {
        out.beginObject()
        out.key("itemId")
        out.string(item.itemID)
        // Seven decimals, as the service sends them.
        if answer.hasScores { out.member("score", number: item.score, decimals: 7) }
        out.member("promotionName", item.promotionName)
        if !item.metadata.isEmpty {
            out.object("metadata") { out in
                for (column, value) in item.metadata {
                    out.key(column)
                    out.string(value)
                }
            }
        }
        if answer.givesReasonList, let reason = item.reasons.lazy.compactMap(wireReason).first {
            out.key("reason")
            out.beginArray()
            out.string(reason)
            out.endArray()
        }
        out.endObject()
    }

    /// The three reasons that the contract knows.
    private static func wireReason(_ reason: RecommendedItem.Reason) -> String? {
        switch reason {
        case .promotion: "Promoted item"
        case .exploration: "Exploration"
        case .fill: "Popular item"
        case .history, .related, .popular, .trending, .newest, .reranked: nil
        }
    }
}

/// Reads the members of runtime requests.
enum RuntimeRequest {
    private static let idLength = 0...256

    static func recommendations(_ members: InputMembers) throws -> RecommendationRequest {
        var request = try common(members, target: recommended(members))
        request.itemID = try id(members, "itemId")
        request.count = try members.int("numResults")
        if let promotions = try members.list("promotions", count: 0...1) {
            request.promotion = try promotions.first.map(promotion)
        }
        return request
    }

    static func ranking(_ members: InputMembers) throws -> RecommendationRequest {
        var request = try common(members, target: campaign(members))
        let inputs = try Check.required(try members.strings("inputList"), field: "inputList")
        for input in inputs { try Check.length(input, idLength, field: "inputList") }
        _ = try Check.required(request.userID, field: "userId")
        request.inputList = inputs
        return request
    }

    static func actions(_ members: InputMembers) throws -> ActionRequest {
        let arn = try Check.required(try members.string("campaignArn"), field: "campaignArn")
        return ActionRequest(
            campaign: try ResourceARN(parsing: arn, .campaign, field: "campaignArn").path,
            userID: try Check.required(try id(members, "userId"), field: "userId"), count: try members.int("numResults"),
            filter: try filter(members))
    }

    /// One of campaignArn and recommenderArn.
    private static func recommended(_ members: InputMembers) throws -> RecommendationRequest.Target {
        guard let arn = try members.string("recommenderArn", length: idLength) else { return try campaign(members) }
        guard try members.string("campaignArn") == nil else {
            throw OperationError.invalidInput("Give one of campaignArn and recommenderArn, not both.", field: "recommenderArn")
        }
        return .recommender(name: try ResourceARN(parsing: arn, .recommender, field: "recommenderArn").path)
    }

    private static func campaign(_ members: InputMembers) throws -> RecommendationRequest.Target {
        let arn = try Check.required(try members.string("campaignArn"), field: "campaignArn")
        return .campaign(name: try ResourceARN(parsing: arn, .campaign, field: "campaignArn").path)
    }

    private static func common(_ members: InputMembers, target: RecommendationRequest.Target) throws -> RecommendationRequest {
        var request = RecommendationRequest(target: target)
        request.userID = try id(members, "userId")
        request.filter = try filter(members)
        request.context = try context(members)
        request.metadataColumns = try metadataColumns(members)
        return request
    }

    /// An empty id names nobody.
    private static func id(_ members: InputMembers, _ name: String) throws -> String? {
        try members.string(name, length: idLength).flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func filter(_ members: InputMembers) throws -> RecommendationRequest.FilterUse? {
        let values = try members.map("filterValues", keys: 25) ?? [:]
        for (name, value) in values {
            try Check.length(name, 0...50, field: "filterValues")
            try Check.length(value, 0...1000, field: "filterValues")
        }
        guard let arn = try members.string("filterArn") else { return nil }
        return .init(name: try ResourceARN(parsing: arn, .filter, field: members.fullName("filterArn")).path, values: values)
    }

    private static func context(_ members: InputMembers) throws -> [String: String] {
        let context = try members.map("context", keys: 150) ?? [:]
        for (name, value) in context {
            try Check.length(name, 1...150, field: "context")
            try Check.length(value, 0...1000, field: "context")
        }
        return context
    }

    private static func metadataColumns(_ members: InputMembers) throws -> [String] {
        guard let given = try members.members("metadataColumns"), let first = given.object.members.first else { return [] }
        guard given.object.members.count == 1, first.name.uppercased() == "ITEMS" else {
            throw OperationError.invalidInput("metadataColumns has one key: ITEMS.", field: "metadataColumns")
        }
        let columns = try given.strings(first.name, count: 0...10) ?? []
        for column in columns { try Check.length(column, 1...150, field: "metadataColumns") }
        return columns
    }

    private static func promotion(_ members: InputMembers) throws -> RecommendationRequest.PromotedShare {
        let name = try members.string("name")
        if let name { try Check.name(name, field: members.fullName("name")) }
        let percent = try Check.required(try members.int("percentPromotedItems"), field: members.fullName("percentPromotedItems"))
        try Check.range(percent, 1...100, field: members.fullName("percentPromotedItems"))
        let filter = try Check.required(try filter(members), field: members.fullName("filterArn"))
        return .init(name: name, percent: percent, filter: filter)
    }
}
