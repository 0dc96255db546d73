import Crypto
public import Foundation
import JSON
import Postgres

extension Environment {
    /// Stores a draft. It acts nowhere until it is published.
    /// - Parameter seed: of the hold-out; random unless a simulation has to repeat itself.
    public func createPromotion(
        name: String, _ definition: PromotionDefinition, note: String = "", datasetGroupID: Int32, seed: String? = nil, by caller: Caller
    ) throws(OperationError) -> Promotion {
        try Check.length(name, 1...100, field: "name")
        try Check.length(note, 0...1000, field: "note")
        return try change { connection in
            let group = try marketingGroup(datasetGroupID, by: caller, connection)
            let definition = try checked(definition, group, connection)
            guard
                try PromotionQueries.list(datasetGroupID: group.id, connection).count(where: { $0.archivedAt == nil })
                    < Promotion.groupLimit
            else { throw OperationError.limitExceeded("A dataset group has at most \(Promotion.groupLimit) promotions. Archive some.") }
            let id = try PromotionQueries.insert(
                name: name, datasetGroupID: group.id, seed: seed ?? SecureRandom.token(.base64URL, length: 16), at: now(), connection)
            let version = PromotionQueries.NewVersion(number: 1, definition: definition, note: note, author: caller.auditName)
            try PromotionQueries.insertVersion(of: id, version, at: now(), connection)
            try record("CreatePromotion", id, name, group, caller, ["after": definition.json], connection)
            return try promotion(id, by: caller, connection)
        }
    }

    /// Stores a new version; what is published goes on until it is published.
    /// - Parameter basedOn: the version that the author saw. When another has come since, the edit is refused instead of lost.
    public func editPromotion(
        _ id: Int32, name: String, _ definition: PromotionDefinition, note: String = "", basedOn: Int32? = nil, by caller: Caller
    ) throws(OperationError) -> Promotion {
        try Check.length(name, 1...100, field: "name")
        try Check.length(note, 0...1000, field: "note")
        return try change { connection in
            let (old, group) = try lockedPromotion(id, by: caller, connection)
            guard old.archivedAt == nil else { throw OperationError.inUse("The promotion is archived. Take it back first.") }
            if let basedOn, basedOn != old.latest.version {
                throw OperationError.inUse(
                    "\(old.latest.createdBy) stored version \(old.latest.version) meanwhile. Look at it under History, then edit again.")
            }
            let definition = try checked(definition, group, connection)
            try PromotionQueries.rename(id, to: name, at: now(), connection)
            if definition != old.latest.definition {
                let version = PromotionQueries.NewVersion(
                    number: old.latest.version + 1, definition: definition, note: note, author: caller.auditName)
                try PromotionQueries.insertVersion(of: id, version, at: now(), connection)
            }
            try record(
                "EditPromotion", id, name, group, caller, ["before": old.latest.definition.json, "after": definition.json], connection)
            if !name.utf8.elementsEqual(old.name.utf8) { try bumpResources(connection, datasetGroupID: group.id) }
            return try promotion(id, by: caller, connection)
        }
    }

    /// Puts the newest version, or the given one, into force in every worker at once. Refused when it could not do anything.
    /// - Returns: the promotion, and what its author should look at.
    @discardableResult
    public func publishPromotion(
        _ id: Int32, version: Int32? = nil, by caller: Caller
    ) throws(OperationError) -> (promotion: Promotion, warnings: [PromotionConflict]) {
        try change { connection in
            let (old, group) = try lockedPromotion(id, by: caller, connection)
            guard old.archivedAt == nil else { throw OperationError.inUse("The promotion is archived. Take it back first.") }
            let wanted = try PromotionQueries.versions(of: id, connection).first { $0.version == version ?? old.latest.version }
            guard let wanted else { throw ResourceARN.notFound("promotion/\(id)/\(version ?? 0)") }
            let conflicts = try conflicts(of: wanted.definition, besides: id, group, connection)
            if let error = conflicts.first(where: { $0.severity == .error }) { throw OperationError.inUse(error.sentence) }
            try publish(old, wanted.version, "PublishPromotion", group, caller, connection)
            return (try promotion(id, by: caller, connection), conflicts)
        }
    }

    /// Takes it out of force at once; its versions stay.
    public func unpublishPromotion(_ id: Int32, by caller: Caller) throws(OperationError) -> Promotion {
        try change { connection in
            let (old, group) = try lockedPromotion(id, by: caller, connection)
            guard old.published != nil else { throw OperationError.inUse("The promotion is not published.") }
            try publish(old, nil, "UnpublishPromotion", group, caller, connection)
            return try promotion(id, by: caller, connection)
        }
    }

    /// Takes it out of force and out of the lists, or back into the lists as a draft.
    public func archivePromotion(_ id: Int32, isArchived: Bool = true, by caller: Caller) throws(OperationError) -> Promotion {
        try change { connection in
            let (old, group) = try lockedPromotion(id, by: caller, connection)
            guard (old.archivedAt != nil) != isArchived else { return old }
            try PromotionQueries.archive(id, at: isArchived ? now() : nil, now: now(), connection)
            try record(isArchived ? "ArchivePromotion" : "RestorePromotion", id, old.name, group, caller, JSONObject(), connection)
            try bumpResources(connection, datasetGroupID: group.id)
            return try promotion(id, by: caller, connection)
        }
    }

    /// Makes a new version that says what an earlier one said, and publishes it.
    @discardableResult
    public func revertPromotion(_ id: Int32, to version: Int32, by caller: Caller) throws(OperationError) -> Promotion {
        try change { connection in
            let (old, group) = try lockedPromotion(id, by: caller, connection)
            guard old.archivedAt == nil else { throw OperationError.inUse("The promotion is archived. Take it back first.") }
            guard let wanted = try PromotionQueries.versions(of: id, connection).first(where: { $0.version == version }) else {
                throw ResourceARN.notFound("promotion/\(id)/\(version)")
            }
            let next = PromotionQueries.NewVersion(
                number: old.latest.version + 1, definition: wanted.definition, note: "Back to version \(version)", author: caller.auditName)
            try PromotionQueries.insertVersion(of: id, next, at: now(), connection)
            try publish(old, next.number, "RevertPromotion", group, caller, connection)
            return try promotion(id, by: caller, connection)
        }
    }

    /// Takes the last publishing back: to what was in force before it, or out of force when nothing was.
    public func undoPublishing(of id: Int32, by caller: Caller) throws(OperationError) -> Promotion {
        let earlier = try read { connection in
            let promotion = try promotion(id, by: caller, connection)
            guard let published = promotion.published else { throw OperationError.inUse("The promotion is not published.") }
            return try PromotionQueries.publishedBefore(id, version: published.version, connection)
        }
        guard let earlier else { return try unpublishPromotion(id, by: caller) }
        return try revertPromotion(id, to: earlier, by: caller)
    }

    public func describePromotion(_ id: Int32, by caller: Caller) throws(OperationError) -> Promotion {
        try read { try promotion(id, by: caller, $0) }
    }

    /// The last changed first.
    public func listPromotions(datasetGroupID: Int32, by caller: Caller) throws(OperationError) -> [Promotion] {
        try caller.require(datasetGroup: datasetGroupID, resource: "dataset-group/\(datasetGroupID)")
        return try read { try PromotionQueries.list(datasetGroupID: datasetGroupID, $0) }
    }

    /// Newest first.
    public func promotionHistory(_ id: Int32, by caller: Caller) throws(OperationError) -> [PromotionVersion] {
        try read { connection in
            _ = try promotion(id, by: caller, connection)
            return try PromotionQueries.versions(of: id, connection)
        }
    }

    /// What publishing would meet. Of a promotion that is not stored yet, `id` is nil.
    public func checkPromotion(
        _ definition: PromotionDefinition, id: Int32?, datasetGroupID: Int32, by caller: Caller
    ) throws(OperationError) -> [PromotionConflict] {
        let group = try describeDatasetGroup(id: datasetGroupID, by: caller)
        return try read { connection in
            try conflicts(of: checked(definition, group, connection), besides: id, group, connection)
        }
    }

    /// What a form offers to choose from: categories, brands, and the columns of the Users records with their values.
    public func promotionChoices(datasetGroupID: Int32, by caller: Caller) throws(OperationError) -> PromotionChoices {
        let group = try describeDatasetGroup(id: datasetGroupID, by: caller)
        return try read { connection in
            func values(_ column: String?) throws -> [PromotionChoices.Value] {
                guard let column else { return [] }
                return try PromotionQueries.values(column: column, datasetGroupID: group.id, limit: 200, connection).map {
                    PromotionChoices.Value(text: $0.value, items: $0.items)
                }
            }
            let pairs = try PromotionQueries.userColumnValues(datasetGroupID: group.id, connection)
            // A column of many values is a name or a number, not a segment.
            let segments = Dictionary(grouping: pairs, by: \.column).filter { $0.value.count <= 30 }
            return PromotionChoices(
                categories: try values(group.displayColumns.category), brands: try values(group.displayColumns.brand),
                segments: segments.keys.sorted().map { column in
                    PromotionChoices.Segment(column: column, values: (segments[column] ?? []).map(\.value))
                })
        }
    }

    func promotion(_ id: Int32, by caller: Caller, _ connection: Connection) throws -> Promotion {
        guard let promotion = try PromotionQueries.find(id, connection) else { throw ResourceARN.notFound("promotion/\(id)") }
        try caller.require(datasetGroup: promotion.datasetGroupID, resource: "promotion/\(id)")
        return promotion
    }

    func promotions(ofGroup id: Int32, _ connection: Connection) throws -> [Promotion] {
        try PromotionQueries.list(datasetGroupID: id, connection)
    }

    func firstPublished(promotion id: Int32, _ connection: Connection) throws -> PGTimestamp? {
        try PromotionQueries.firstPublished(id, connection)
    }
}

/// What a promotion's form offers.
public struct PromotionChoices: Sendable {
    public struct Value: Sendable {
        public let text: String
        public let items: Int64
    }

    public struct Segment: Sendable {
        public let column: String
        public let values: [String]
    }

    /// The commonest first.
    public let categories: [Value]
    public let brands: [Value]
    public let segments: [Segment]
}

extension Environment {
    private func lockedPromotion(_ id: Int32, by caller: Caller, _ connection: Connection) throws -> (Promotion, DatasetGroup) {
        let group = try marketingGroup(promotion(id, by: caller, connection).datasetGroupID, by: caller, connection)
        return (try promotion(id, by: caller, connection), group)
    }

    private func checked(_ definition: PromotionDefinition, _ group: DatasetGroup, _ connection: Connection) throws -> PromotionDefinition {
        let definition = definition.tidied
        try definition.check(timeZone: group.zone)
        let known = try placements(ofGroup: group.id, connection).map(\.name)
        if let unknown = definition.placements.first(where: { name in !known.contains { $0.utf8.elementsEqual(name.utf8) } }) {
            throw OperationError.invalidInput("There is no placement named \(unknown).", field: "placements")
        }
        return definition
    }

    private func publish(
        _ old: Promotion, _ version: Int32?, _ action: String, _ group: DatasetGroup, _ caller: Caller, _ connection: Connection
    ) throws {
        try PromotionQueries.publish(old.id, version: version, at: now(), connection)
        try record(
            action, old.id, old.name, group, caller,
            [
                "before": old.published.map { .integer(Int64($0.version)) } ?? .null,
                "after": version.map { .integer(Int64($0)) } ?? .null,
            ], connection)
        try bumpResources(connection, datasetGroupID: group.id)
    }

    private func record(
        _ action: String, _ id: Int32, _ name: String, _ group: DatasetGroup, _ caller: Caller, _ parameters: JSONObject,
        _ connection: Connection
    ) throws {
        var all: JSONObject = ["name": .string(name)]
        all.members += parameters.members
        try audit(
            connection, caller, action, resource: "promotion/\(id)", datasetGroupID: group.id, parameters: .object(all))
    }

    private func conflicts(
        of definition: PromotionDefinition, besides id: Int32?, _ group: DatasetGroup, _ connection: Connection
    ) throws -> [PromotionConflict] {
        let published = try PromotionQueries.list(datasetGroupID: group.id, connection).filter { $0.id != id && $0.archivedAt == nil }
        let others = try published.compactMap { promotion in
            try promotion.published.map {
                (name: promotion.name, definition: $0.definition, items: try items(of: $0.definition, group, connection))
            }
        }
        return PromotionCheck(
            definition: definition, items: try items(of: definition, group, connection), others: others,
            placements: try placements(ofGroup: group.id, connection), now: now(), timeZone: group.zone
        ).conflicts()
    }

    /// Items that a definition means, as far as the catalogue knows them.
    private func items(of definition: PromotionDefinition, _ group: DatasetGroup, _ connection: Connection) throws -> [String] {
        switch definition.selection {
        case .items(let ids): return try PromotionQueries.knownItems(ids, datasetGroupID: group.id, connection)
        case .values(let role, let values):
            let column = role == "brand" ? group.displayColumns.brand : group.displayColumns.category
            guard let column else { return [] }
            return try PromotionQueries.items(column: column, values: values, datasetGroupID: group.id, limit: 500, connection)
        }
    }
}

extension DatasetGroup {
    /// UTC for a name that this machine does not know.
    public var zone: TimeZone { TimeZone(identifier: timeZone) ?? .gmt }
}
