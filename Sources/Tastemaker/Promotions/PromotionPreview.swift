public import Postgres

/// A list without and with a promotion, for one visitor at one date.
public struct PromotionPreview: Sendable {
    public let before: RecommendationAnswer
    public let after: RecommendationAnswer
    public let placement: Placement
    public let at: PGTimestamp
}

/// What a preview shows.
public struct PromotionPreviewInput: Sendable {
    public var definition: PromotionDefinition
    /// Nil for one that is not stored yet.
    public var promotionID: Int32?
    /// What the preview calls it; empty: a promotion without a name yet.
    public var name = ""
    public var placement: String
    /// Nil: somebody nobody knows.
    public var visitor: String?
    /// For placements about an item.
    public var itemID: String?
    /// Local in the group's zone, `yyyy-MM-ddTHH:mm`; nil: the promotion's start if that is to come, else now.
    public var at: String?

    public init(definition: PromotionDefinition, promotionID: Int32? = nil, placement: String, visitor: String? = nil) {
        self.definition = definition
        self.promotionID = promotionID
        self.placement = placement
        self.visitor = visitor
    }
}

extension Services {
    /// Asks for the list twice: as things stand, and with the promotion in force. Nothing is recorded, and nobody is held out, so that
    /// the author sees the effect.
    public func previewPromotion(
        _ input: PromotionPreviewInput, datasetGroupID: Int32, by caller: Caller
    ) throws(OperationError) -> PromotionPreview {
        let group = try environment.describeDatasetGroup(id: datasetGroupID, by: caller)
        var definition = input.definition.tidied
        try definition.check(timeZone: group.zone)
        let placement = try environment.describePlacement(name: input.placement, datasetGroupID: datasetGroupID, by: caller)
        if placement.purpose.isAboutItem, input.itemID == nil {
            throw .invalidInput("\(placement.title) is about an item: choose the item whose page is previewed.", field: "previewItem")
        }
        definition.holdOut = 0
        let now = environment.now()
        let schedule = try PromotionSchedule(startsAt: definition.startsAt, endsAt: definition.endsAt, timeZone: group.zone)
        let asked = try input.at.map { text throws(OperationError) in
            try PromotionSchedule(startsAt: text, endsAt: nil, timeZone: group.zone).start
        }
        let at = (asked ?? nil) ?? max(now, schedule.start ?? now)
        var request = RecommendationRequest(target: .placement(name: placement.name, datasetGroupID: datasetGroupID))
        request.userID = input.visitor
        request.anonymousID = input.visitor
        request.itemID = input.itemID
        request.explains = true
        request.previewAt = at
        let before = try recommendations.recommend(request, by: caller)
        // An id that no stored promotion has, for one that is still a form.
        request.previewPromotions = [
            input.promotionID ?? -1: .init(name: input.name.isEmpty ? "this promotion" : input.name, definition)
        ]
        let after = try recommendations.recommend(request, by: caller)
        return PromotionPreview(before: before, after: after, placement: placement, at: at)
    }
}
