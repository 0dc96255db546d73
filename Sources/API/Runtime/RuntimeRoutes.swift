import JSON
import Tastemaker
import Web

/// The personalize-runtime door: GetRecommendations and GetPersonalizedRanking.
enum RuntimeRoutes {
    static let all: [APIRoute] =
        APIRoutes.prefixed("/recommendations", name: "GetRecommendations", limit: 1 << 18, handler: getRecommendations)
        + APIRoutes.prefixed("/personalize-ranking", name: "GetPersonalizedRanking", limit: 1 << 18, handler: getPersonalizedRanking)

    private static func getRecommendations(_ context: inout APIContext, _ request: Request) throws -> Response {
        let members = InputMembers(try WireBody.object(request))
        let wanted = try RuntimeRequest.recommendations(members)
        let answer = try context.services.recommendations.recommend(wanted, by: try context.requireCaller())
        return response(answer, list: "itemList")
    }

    private static func getPersonalizedRanking(_ context: inout APIContext, _ request: Request) throws -> Response {
        let members = InputMembers(try WireBody.object(request))
        let wanted = try RuntimeRequest.ranking(members)
        let answer = try context.services.recommendations.recommend(wanted, by: try context.requireCaller())
        return response(answer, list: "personalizedRanking")
    }

    private static func response(_ answer: RecommendationAnswer, list: StaticString) -> Response {
        var out = JSONWriter(reserving: 128 + answer.items.count * 64)
        let tellsReasons = answer.recipe?.utf8.elementsEqual("aws-user-personalization-v2".utf8) == true
        out.beginObject()
        out.list(list, answer.items) { out, item in
            out.member("itemId", item.itemID)
            if answer.hasScores { out.member("score", number: item.score, decimals: 7) }
            out.member("promotionName", item.promotionName)
            if !item.metadata.isEmpty {
                out.object("metadata") { out in
                    for (column, value) in item.metadata {
                        out.key(column.lowercased())
                        out.string(value)
                    }
                }
            }
            if tellsReasons { writeReasons(item.reasons, &out) }
        }
        out.member("recommendationId", answer.recommendationID)
        out.endObject()
        var response = Response(.ok, contentType: WireStyle.rest.contentType, body: out.bytes)
        if answer.isDegraded { response.setHeader("X-Tastemaker-Degraded", "true") }
        return response
    }

    /// The three reasons that the contract knows.
    private static func writeReasons(_ reasons: [RecommendedItem.Reason], _ out: inout JSONWriter) {
        let words = reasons.compactMap { reason -> String? in
            switch reason {
            case .promotion: "Promoted item"
            case .exploration: "Exploration"
            case .fill: "Popular item"
            case .history, .related, .popular, .newest: nil
            }
        }
        guard !words.isEmpty else { return }
        out.key("reason")
        out.beginArray()
        for word in words { out.string(word) }
        out.endArray()
    }
}
