public import Postgres

/// The door of a dataset group for events from browsers and servers.
public struct EventTracker: Sendable, Equatable {
    public let id: Int32
    public let datasetGroupID: Int32
    public let datasetGroupName: String
    public let name: String
    /// Eight hexadecimal digits, the last part of the ARN.
    public let suffix: String
    /// A UUID in lower case, public: it may append events and ask placements, nothing else.
    public let trackingID: String
    /// Origins that browsers may send from, such as `https://shop.example`.
    public let origins: [String]
    public let status: ResourceStatus
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp
}

public struct CreateEventTrackerInput: Sendable {
    public var name: String
    public var datasetGroupARN: String
    public var origins: [String]
    public var tags: [Tag]

    public init(name: String, datasetGroupARN: String, origins: [String] = [], tags: [Tag] = []) {
        self.name = name
        self.datasetGroupARN = datasetGroupARN
        self.origins = origins
        self.tags = tags
    }
}

extension EventTracker {
    static let originLimit = 50

    /// What a browser sends as Origin: scheme, host in lower case, port unless it is the scheme's own. No path.
    static func checkOrigins(_ origins: [String]) throws(OperationError) {
        guard origins.count <= originLimit else {
            throw .invalidInput("A tracker has at most \(originLimit) origins.", field: "origins")
        }
        for origin in origins where !isOrigin(origin) {
            throw .invalidInput("'\(origin)' is not an origin. Write scheme and host only, such as https://shop.example.", field: "origins")
        }
    }

    static func isOrigin(_ text: String) -> Bool {
        guard text.utf8.count <= 255, let scheme = ["https://", "http://"].first(where: { text.utf8.starts(with: $0.utf8) }) else {
            return false
        }
        let authority = text.utf8.dropFirst(scheme.utf8.count)
        guard let host = authority.split(separator: UInt8(ascii: ":"), maxSplits: 1).first, !host.isEmpty,
            authority.first != UInt8(ascii: ":")
        else { return false }
        let port = authority.dropFirst(host.count)
        let isHostByte: (UInt8) -> Bool = { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E }
        guard host.allSatisfy(isHostByte) else { return false }
        return port.isEmpty || (port.count > 1 && port.dropFirst().allSatisfy { (0x30...0x39).contains($0) })
    }
}
