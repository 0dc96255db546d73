import FilterLanguage
import Foundation
import Postgres
import Ranking
import Statistics

/// What recommendations of one dataset group need besides its items: resources and models at one revision, immutable.
struct GroupSnapshot: Sendable {
    let id: Int32
    let revision: Int64
    let timeZone: TimeZone
    let currency: String
    let display: DisplayColumns
    let schema: CatalogueSchema
    let actionSchema: CatalogueSchema
    let interactionsDataset: Int32?
    /// By id, from 0.
    let eventTypes: [String]
    let campaigns: [Int32: ServedCampaign]
    let filters: [Int32: ServedFilter]
    let placements: [ServedPlacement]
    let promotions: [ServedPromotion]
    let experiments: [ServedExperiment]

    func campaign(named name: String) -> ServedCampaign? { campaigns.values.first { $0.name.utf8.elementsEqual(name.utf8) } }
    func filter(named name: String) -> ServedFilter? { filters.values.first { $0.name.utf8.elementsEqual(name.utf8) } }
    func placement(named name: String) -> ServedPlacement? { placements.first { $0.name.utf8.elementsEqual(name.utf8) } }

    /// The running experiment on a placement: one at a time decides what it shows.
    func experiment(on placement: Int32) -> ServedExperiment? { experiments.first { $0.placementID == placement } }

    var hasBrokenModel: Bool { campaigns.values.contains { $0.modelFailure != nil } }
}

/// A campaign and its opened model.
struct ServedCampaign: Sendable {
    let id: Int32
    let name: String
    let status: ResourceStatus
    let recipe: RecipeName
    let config: CampaignConfig
    let options: CampaignOptions
    let versionID: Int32
    /// Nil while no model of it could ever be opened here.
    let model: ServedModel?
    /// Of a campaign that proposes actions, which has no other model.
    let actions: ServedActions?
    /// Why the version in use does not serve: the model is the last good one, or there is none.
    let modelFailure: String?

    /// A resource that is being updated keeps serving.
    var serves: Bool { status == .active || status == .updatePending || status == .updateInProgress }

    /// The name of the hidden campaign of a recommender, which no campaign of people can have.
    static func name(ofRecommender name: String) -> String { "recommender/\(name)" }

    /// What people call it.
    var noun: String { name.utf8.contains(UInt8(ascii: "/")) ? "recommender" : "campaign" }
    var isRanking: Bool { recipe == .personalizedRanking || recipe == .personalizedRankingV2 }
    var isSecondVersion: Bool { recipe == .userPersonalizationV2 || recipe == .personalizedRankingV2 }
}

/// An opened model with what translates between the group's ids and its own.
final class ServedModel: Sendable {
    let holder: ModelStore.Holder
    let versionID: Int32
    /// Interned item ids by row; empty when rows are ids.
    let itemIDs: [Int32]
    /// The group's event type -> the model's, -1 for one that it never saw.
    let eventTypes: [Int16]
    /// Of recipes for trends, which are counted anew.
    let trend: TrendRule?

    var model: Model { holder.model }

    init(_ holder: ModelStore.Holder, versionID: Int32, eventTypes names: [String]) {
        self.holder = holder
        self.versionID = versionID
        itemIDs = holder.model.isIdentityMapped ? [] : holder.model.itemIDs
        trend = holder.model.trend
        let known = holder.model.eventTypeNames.map { $0.lowercased() }
        eventTypes = names.map { name in known.firstIndex(of: name.lowercased()).map { Int16($0) } ?? -1 }
    }

    func eventType(_ type: UInt8) -> Int16 { Int(type) < eventTypes.count ? eventTypes[Int(type)] : -1 }

    /// A bitmap over item ids as one over the model's rows.
    func rows(_ items: RowBitmap) -> [UInt64] {
        guard !itemIDs.isEmpty else { return items.words }
        var words = [UInt64](repeating: 0, count: (itemIDs.count + 63) / 64)
        itemIDs.withUnsafeBufferPointer { ids in
            items.words.withUnsafeBufferPointer { source in
                words.withUnsafeMutableBufferPointer { words in
                    for row in 0..<ids.count {
                        let id = Int(ids[row])
                        guard id >> 6 < source.count else { continue }
                        words[row >> 6] |= (source[id >> 6] >> UInt64(id & 63) & 1) << UInt64(row & 63)
                    }
                }
            }
        }
        return words
    }
}

struct ServedFilter: Sendable {
    let id: Int32
    let name: String
    let status: ResourceStatus
    /// Nil when the stored expression no longer fits the group's columns; `failure` says why.
    let checked: CheckedFilter?
    let failure: String?
}

struct ServedPlacement: Sendable {
    enum Purpose: String, Sendable {
        case forYou = "for-you"
        case popular, similar
        case boughtTogether = "bought-together"

        var isAboutItem: Bool { self == .similar || self == .boughtTogether }
    }

    enum Fallback: String, Sendable { case popular, newest, none }

    let id: Int32
    let name: String
    let purpose: Purpose
    var campaignID: Int32?
    var filterID: Int32?
    let itemCount: Int
    let fallback: Fallback
    let isAutomatic: Bool
}

/// A published promotion.
struct ServedPromotion: Sendable {
    let id: Int32
    let name: String
    let definition: PromotionDefinition
    let schedule: PromotionSchedule
    let holdOutSeed: String
    /// Higher is newer.
    let publishedOrder: Int64
}

/// A running experiment.
struct ServedExperiment: Sendable {
    enum PromotionSet: Sendable, Equatable {
        case placement, none
        case listed(Set<Int32>)
    }

    struct Arm: Sendable {
        let id: Int32
        let name: String
        let campaignID: Int32?
        let filterID: Int32?
        let promotions: PromotionSet
    }

    let id: Int32
    let name: String
    let placementID: Int32
    let bands: ArmBands
    let arms: [Arm]

    func arm(of unit: String) -> Arm? {
        bands.arm(of: unit).flatMap { $0 < arms.count ? arms[$0] : nil }
    }
}
