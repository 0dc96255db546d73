import Postgres
import Ranking

/// What interactions are with. Either kind has a dataset, numbers and packed histories of its own, in tables of one shape.
enum InteractionKind: Sendable, CaseIterable {
    case items, actions

    var datasetType: DatasetType {
        switch self {
        case .items: .interactions
        case .actions: .actionInteractions
        }
    }

    /// The table of packed histories.
    var history: SQL {
        switch self {
        case .items: "history"
        case .actions: "action_history"
        }
    }

    /// The table that numbers what the interactions are with.
    var keys: SQL {
        switch self {
        case .items: "item_key"
        case .actions: "action_key"
        }
    }

    /// Entries of one packed history.
    var historyLimit: Int {
        switch self {
        case .items: PackedHistory.limit
        case .actions: PackedHistory.eventTypeLimit * ActionData.Response.allCases.count
        }
    }
}

extension DatasetType {
    /// Nil for datasets of records.
    var interactionKind: InteractionKind? { InteractionKind.allCases.first { $0.datasetType == self } }
}

extension ActionData.Response {
    /// As the contract spells it; read in any case, with a blank, an underscore or nothing between the words.
    var name: String {
        switch self {
        case .taken: "Taken"
        case .notTaken: "Not Taken"
        case .viewed: "Viewed"
        }
    }
}
