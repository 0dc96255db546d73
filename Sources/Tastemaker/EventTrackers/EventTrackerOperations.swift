import Crypto
import JSON
import Postgres

extension Environment {
    /// The associated data under which tracker secrets are sealed.
    static let trackerSecretPurpose = "tracker-secret"

    public func createEventTracker(_ input: CreateEventTrackerInput, by caller: Caller) throws(OperationError) -> EventTracker {
        try Check.name(input.name)
        try EventTracker.checkOrigins(input.origins)
        return try change { connection in
            let group = try lockedDatasetGroup(arn: input.datasetGroupARN, by: caller, connection)
            guard group.status == .active else { throw OperationError.inUse("The dataset group is in status \(group.status.rawValue).") }
            if try EventTrackerQueries.find(ofGroup: group.id, connection) != nil {
                throw OperationError.alreadyExists("The dataset group \(group.name) already has an event tracker.")
            }
            if try EventTrackerQueries.exists(name: input.name, connection) {
                throw OperationError.alreadyExists("An event tracker named \(input.name) already exists.")
            }
            let id = try EventTrackerQueries.insert(
                .init(
                    name: input.name, datasetGroupID: group.id, suffix: Hex.encode(SecureRandom.bytes(4)), secretSealed: newTrackerSecret(),
                    origins: input.origins),
                at: now(), connection)
            let tracker = try eventTracker(id: id, connection)
            let resource = "event-tracker/\(tracker.suffix)"
            try setTags(input.tags, on: resource, connection)
            try audit(
                connection, caller, "CreateEventTracker", resource: resource, datasetGroupID: group.id,
                parameters: ["name": .string(tracker.name), "origins": .array(tracker.origins.map { .string($0) })])
            try bumpResources(connection, datasetGroupID: group.id)
            return tracker
        }
    }

    public func describeEventTracker(arn: String, by caller: Caller) throws(OperationError) -> EventTracker {
        try read { try eventTracker(arn: arn, by: caller, $0) }
    }

    public func listEventTrackers(
        datasetGroupARN: String?, _ request: PageRequest, by caller: Caller
    ) throws(OperationError) -> Page<EventTracker> {
        try page(request, scope: "ListEventTrackers \(datasetGroupARN ?? "")") { cursor, limit, connection in
            try EventTrackerQueries.list(
                ofGroup: listedGroup(arn: datasetGroupARN, by: caller, connection), after: cursor, limit: limit, connection)
        }
    }

    /// The tracker of a group, for the console.
    public func eventTracker(ofGroup id: Int32, by caller: Caller) throws(OperationError) -> EventTracker? {
        try read { connection in
            try caller.require(datasetGroup: id, resource: "dataset-group/\(id)")
            return try EventTrackerQueries.find(ofGroup: id, connection)
        }
    }

    /// Replaces the origins that browsers may send from.
    public func updateEventTrackerOrigins(id: Int32, origins: [String], by caller: Caller) throws(OperationError) -> EventTracker {
        try EventTracker.checkOrigins(origins)
        return try change { connection in
            let tracker = try eventTracker(id: id, by: caller, connection)
            try EventTrackerQueries.updateOrigins(id, origins, at: now(), connection)
            try audit(
                connection, caller, "UpdateEventTrackerOrigins", resource: "event-tracker/\(tracker.suffix)",
                datasetGroupID: tracker.datasetGroupID,
                parameters: [
                    "origins": .array(origins.map { .string($0) }), "previousOrigins": .array(tracker.origins.map { .string($0) }),
                ])
            try bumpResources(connection, datasetGroupID: tracker.datasetGroupID)
            return try eventTracker(id: id, connection)
        }
    }

    /// The secret with which the site signs user ids. Looking at it is audited.
    public func revealEventTrackerSecret(id: Int32, by caller: Caller) throws(OperationError) -> String {
        try change { connection in
            let tracker = try eventTracker(id: id, by: caller, connection)
            try audit(
                connection, caller, "RevealEventTrackerSecret", resource: "event-tracker/\(tracker.suffix)",
                datasetGroupID: tracker.datasetGroupID)
            guard let sealed = try EventTrackerQueries.secretSealed(id, connection) else {
                throw ResourceARN.notFound("event-tracker/\(id)")
            }
            return String(decoding: try openTrackerSecret(sealed), as: UTF8.self)
        }
    }

    /// Makes a new secret; signatures made with the old one end at once.
    public func rotateEventTrackerSecret(id: Int32, by caller: Caller) throws(OperationError) {
        try change { connection in
            let tracker = try eventTracker(id: id, by: caller, connection)
            try EventTrackerQueries.updateSecret(id, sealed: newTrackerSecret(), at: now(), connection)
            try audit(
                connection, caller, "RotateEventTrackerSecret", resource: "event-tracker/\(tracker.suffix)",
                datasetGroupID: tracker.datasetGroupID)
            try bumpResources(connection, datasetGroupID: tracker.datasetGroupID)
        }
    }

    /// Deletes the tracker; the events that it recorded stay.
    public func deleteEventTracker(arn: String, by caller: Caller) throws(OperationError) {
        try change { connection in
            let tracker = try eventTracker(arn: arn, by: caller, connection)
            guard tracker.status.isDeletable else {
                throw OperationError.inUse("The event tracker is in status \(tracker.status.rawValue).")
            }
            let resource = "event-tracker/\(tracker.suffix)"
            try deleteTags(of: resource, connection)
            try EventTrackerQueries.delete(tracker.id, connection)
            try audit(connection, caller, "DeleteEventTracker", resource: resource, datasetGroupID: tracker.datasetGroupID)
            try bumpResources(connection, datasetGroupID: tracker.datasetGroupID)
        }
    }

    /// The bytes of a stored secret: the key of the site's signatures.
    func openTrackerSecret(_ sealed: [UInt8]) throws -> [UInt8] {
        try sealer.open(sealed, purpose: Environment.trackerSecretPurpose)
    }

    private func newTrackerSecret() throws -> [UInt8] {
        try sealer.seal(Array(SecureRandom.token(.base64URL, length: 43).utf8), purpose: Environment.trackerSecretPurpose)
    }

    func eventTracker(arn: String, by caller: Caller, _ connection: Connection) throws -> EventTracker {
        let parsed = try ResourceARN(parsing: arn, .eventTracker, field: "eventTrackerArn")
        guard let tracker = try EventTrackerQueries.find(suffix: parsed.path, connection) else { throw ResourceARN.notFound(arn) }
        try caller.require(datasetGroup: tracker.datasetGroupID, resource: arn)
        return tracker
    }

    private func eventTracker(id: Int32, by caller: Caller, _ connection: Connection) throws -> EventTracker {
        let tracker = try eventTracker(id: id, connection)
        try caller.require(datasetGroup: tracker.datasetGroupID, resource: "event-tracker/\(id)")
        return tracker
    }

    func eventTracker(id: Int32, _ connection: Connection) throws -> EventTracker {
        guard let tracker = try EventTrackerQueries.find(id: id, connection) else { throw ResourceARN.notFound("event-tracker/\(id)") }
        return tracker
    }
}
