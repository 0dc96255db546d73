public import Postgres

/// A place on the site that recommendations fill.
public struct Placement: Sendable, Equatable {
    /// What its lists are about; decides which recipe the automatic ladder trains for it.
    public enum Purpose: String, Sendable, CaseIterable {
        case forYou = "for-you"
        case popular
        case similar
        case boughtTogether = "bought-together"

        /// Whether a request has to name an item.
        public var isAboutItem: Bool { self == .similar || self == .boughtTogether }
    }

    /// What fills it while its campaign cannot.
    public enum Fallback: String, Sendable, CaseIterable {
        case popular, newest, none
    }

    public let id: Int32
    public let datasetGroupID: Int32
    /// Lower-case, as pages call it; unique in its dataset group.
    public let name: String
    public let title: String
    public let purpose: Purpose
    public let campaignID: Int32?
    public let campaignName: String?
    public let filterID: Int32?
    public let filterName: String?
    /// 1 to 100.
    public let itemCount: Int
    public let fallback: Fallback
    /// The first model is trained, deployed and put here by itself.
    public let isAutomatic: Bool
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp

    /// Placements of one dataset group.
    static let groupLimit = 100
}

/// What a placement is to be. Campaign and filter by name; both belong to the placement's dataset group.
public struct PlacementInput: Sendable {
    public var name: String
    public var title: String
    public var purpose: Placement.Purpose
    public var campaign: String?
    public var filter: String?
    public var itemCount: Int
    public var fallback: Placement.Fallback
    public var isAutomatic: Bool

    public init(
        name: String, title: String, purpose: Placement.Purpose = .forYou, campaign: String? = nil, filter: String? = nil,
        itemCount: Int = 12, fallback: Placement.Fallback = .popular, isAutomatic: Bool = true
    ) {
        self.name = name
        self.title = title
        self.purpose = purpose
        self.campaign = campaign
        self.filter = filter
        self.itemCount = itemCount
        self.fallback = fallback
        self.isAutomatic = isAutomatic
    }

    /// What a shop's first placements are: home, product page and cart.
    static let defaults = [
        PlacementInput(name: "home-for-you", title: "Home: for you", purpose: .forYou),
        PlacementInput(name: "home-popular", title: "Home: popular", purpose: .popular),
        PlacementInput(name: "product-similar", title: "Product page: similar", purpose: .similar, itemCount: 8),
        PlacementInput(
            name: "product-bought-together", title: "Product page: bought together", purpose: .boughtTogether, itemCount: 4),
        PlacementInput(name: "cart", title: "Cart", purpose: .boughtTogether, itemCount: 4),
    ]

    func check() throws(OperationError) {
        try Check.length(name, 1...63, field: "name")
        let isSlug = name.utf8.enumerated().allSatisfy { offset, byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || (offset > 0 && byte == UInt8(ascii: "-"))
        }
        guard isSlug else {
            throw .invalidInput("'\(name)' is not a name for a placement. Use lower-case letters, digits and hyphens.", field: "name")
        }
        try Check.length(title, 1...100, field: "title")
        try Check.range(itemCount, 1...100, field: "itemCount")
    }
}
