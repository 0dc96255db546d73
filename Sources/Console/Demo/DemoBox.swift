import Tastemaker
import Web

/// A list of recommendations as the server renders it. The tracker asks for it anew, so this one is recorded nowhere.
struct DemoBox {
    let placement: String
    let heading: String
    var itemID: String?

    func model(_ demo: DemoVisit) -> ViewModel {
        var model: ViewModel = ["placement": .text(placement), "heading": .text(heading), "itemID": .text(itemID)]
        let answer = Result { try demo.visit.services.recommendations.recommend(request(demo), by: .system) }
        let items = (try? answer.get())?.items ?? []
        model["items"] = .list(items.compactMap { card($0, demo) })
        model["note"] = items.isEmpty ? "Nothing to show here yet." : false
        return model
    }

    private func request(_ demo: DemoVisit) -> RecommendationRequest {
        var request = RecommendationRequest(target: .placement(name: placement, datasetGroupID: demo.group.id))
        request.anonymousID = demo.anonymousID.flatMap { try? AnonymousID.externalID($0) }
        request.itemID = itemID
        request.count = 8
        request.explains = true
        request.previewAt = demo.visit.environment.now()
        return request
    }

    private func card(_ item: RecommendedItem, _ demo: DemoVisit) -> ViewModel? {
        guard let product = demo.catalogue[id: item.itemID] else { return nil }
        return DemoPages.card(product, demo).merging(["reason": .text(item.reasons.first?.sentence)])
    }
}
