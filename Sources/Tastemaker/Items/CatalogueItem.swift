/// An item as people find it: by its title, with what they see of it.
public struct CatalogueItem: Sendable, Equatable {
    public let itemID: String
    public let display: ItemDisplay
    public let brand: String?

    public init(itemID: String, display: ItemDisplay, brand: String? = nil) {
        self.itemID = itemID
        self.display = display
        self.brand = brand
    }

    /// The title, or the id where the catalogue has none.
    public var title: String { display.title ?? itemID }
}
