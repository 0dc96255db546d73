import JSON
public import Postgres

/// Lifecycle of a resource, in the contract's spelling.
public enum ResourceStatus: String, Sendable {
    case createPending = "CREATE PENDING"
    case createInProgress = "CREATE IN_PROGRESS"
    case active = "ACTIVE"
    case createFailed = "CREATE FAILED"
    case createStopping = "CREATE STOPPING"
    case createStopped = "CREATE STOPPED"
    case updatePending = "UPDATE PENDING"
    case updateInProgress = "UPDATE IN_PROGRESS"
    case inactive = "INACTIVE"
    case deletePending = "DELETE PENDING"
    case deleteInProgress = "DELETE IN_PROGRESS"

    /// Only settled resources may be deleted.
    public var isDeletable: Bool { self == .active || self == .createFailed || self == .createStopped || self == .inactive }
}

/// A container of datasets and of everything made from them.
public struct DatasetGroup: Sendable, Equatable {
    public let id: Int32
    public let name: String
    public let domain: String?
    public let roleARN: String?
    public let kmsKeyARN: String?
    public let status: ResourceStatus
    public let failureReason: String?
    /// IANA name; schedules and days follow it.
    public let timeZone: String
    /// ISO 4217.
    public let currency: String
    public let displayColumns: DisplayColumns
    /// The demo shop.
    public let isSimulated: Bool
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp
}

/// The columns of the Items schema that people see in lists, placements and `render`.
public struct DisplayColumns: Sendable, Equatable {
    public var title: String?
    public var link: String?
    public var image: String?
    public var price: String?
    public var category: String?
    public var brand: String?

    public init(
        title: String? = nil, link: String? = nil, image: String? = nil, price: String? = nil, category: String? = nil, brand: String? = nil
    ) {
        self.title = title
        self.link = link
        self.image = image
        self.price = price
        self.category = category
        self.brand = brand
    }

    init(json: JSONValue) {
        self.init(
            title: json["title"]?.stringValue, link: json["link"]?.stringValue, image: json["image"]?.stringValue,
            price: json["price"]?.stringValue, category: json["category"]?.stringValue, brand: json["brand"]?.stringValue)
    }

    var json: JSONValue {
        var object = JSONObject()
        for (name, column) in [
            ("title", title), ("link", link), ("image", image), ("price", price), ("category", category), ("brand", brand),
        ] {
            if let column { object[name] = .string(column) }
        }
        return .object(object)
    }
}

public struct CreateDatasetGroupInput: Sendable {
    public var name: String
    public var domain: String?
    public var roleARN: String?
    public var kmsKeyARN: String?
    public var tags: [Tag]
    public var isSimulated = false

    public init(name: String, domain: String? = nil, roleARN: String? = nil, kmsKeyARN: String? = nil, tags: [Tag] = []) {
        self.name = name
        self.domain = domain
        self.roleARN = roleARN
        self.kmsKeyARN = kmsKeyARN
        self.tags = tags
    }
}
