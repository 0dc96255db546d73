/// The event types that an interactions condition asks for. Compared without regard to case; for action interactions a space and an
/// underscore are the same too, since `Not Taken` and `NOT_TAKEN` are.
public struct EventTypeSelection: Hashable, Sendable {
    /// `interactions` or `actionInteractions`.
    public let dataset: FilterDataset
    /// Folded; nil for any type.
    private let names: Set<String>?

    init(dataset: FilterDataset, names: [String]?) {
        self.dataset = dataset
        self.names = names.map { names in Set(names.map { Self.folded($0, dataset) }) }
    }

    public var isAny: Bool { names == nil }

    /// Whether an event of this type is asked for. Folds the name: ask once for each distinct type, not for each event.
    public func contains(_ eventType: String) -> Bool {
        guard let names else { return true }
        return names.contains(Self.folded(eventType, dataset))
    }

    private static func folded(_ eventType: String, _ dataset: FilterDataset) -> String {
        let lower = eventType.lowercased()
        guard dataset == .actionInteractions else { return lower }
        return String(lower.map { $0 == " " ? "_" : $0 })
    }
}
