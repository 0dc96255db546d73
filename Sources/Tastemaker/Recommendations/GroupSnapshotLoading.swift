import FilterLanguage
import Foundation
import Postgres
import Ranking
import Statistics

/// Reads snapshots out of the database, opening models on the way.
struct GroupLoader: Sendable {
    let environment: Environment
    let models: ModelStore

    /// Nil for a group that is gone. `previous` lends the models that still serve where a new one cannot be opened.
    func resources(_ groupID: Int32, previous: GroupSnapshot?) throws -> GroupSnapshot? {
        try environment.database.withConnection { connection in
            try connection.transaction(.repeatableRead, readOnly: true) { connection in
                guard let group = try GroupSnapshotQueries.group(groupID, connection),
                    let revision = try CatalogueQueries.revision(groupID, connection)
                else { return nil }
                let schemas = try environment.schemas(ofGroup: groupID, connection)
                let eventTypes = try GroupSnapshotQueries.eventTypes(groupID, connection)
                let timeZone = TimeZone(identifier: group.timeZone) ?? .gmt
                var campaigns: [Int32: ServedCampaign] = [:]
                for row in try GroupSnapshotQueries.campaigns(groupID, connection) {
                    campaigns[row.id] = try campaign(row, eventTypes, previous: previous?.campaigns[row.id], connection)
                }
                let filterSchema = FilterSchema(schemas: schemas)
                let filters = try GroupSnapshotQueries.filters(groupID, connection).map { Self.filter($0, filterSchema) }
                return GroupSnapshot(
                    id: groupID, revision: revision.resources, timeZone: timeZone, currency: group.currency, display: group.display,
                    schema: CatalogueSchema(schemas[.items]), actionSchema: CatalogueSchema(schemas[.actions]),
                    interactionsDataset: group.interactionsDataset, eventTypes: eventTypes,
                    campaigns: campaigns, filters: Dictionary(filters.map { ($0.id, $0) }) { first, _ in first },
                    placements: try GroupSnapshotQueries.placements(groupID, connection),
                    promotions: try GroupSnapshotQueries.promotions(groupID, connection).compactMap { Self.promotion($0, timeZone) },
                    experiments: try GroupSnapshotQueries.runningExperiments(groupID, connection).compactMap(Self.experiment))
            }
        }
    }

    /// The catalogue as it is now: a delta on `previous` where that is enough.
    func catalogue(
        _ groupID: Int32, schema: CatalogueSchema, previous: (snapshot: CatalogueSnapshot, revision: Int64)?
    ) throws -> (snapshot: CatalogueSnapshot, revision: Int64)? {
        try environment.database.withConnection { connection in
            try connection.transaction(.repeatableRead, readOnly: true) { connection in
                guard let revision = try CatalogueQueries.revision(groupID, connection) else { return nil }
                let snapshot =
                    if let previous, previous.snapshot.schema == schema, previous.revision >= revision.catalogueBase {
                        try previous.snapshot.updated(groupID, since: previous.revision, revision: revision.catalogue, connection)
                    } else {
                        try CatalogueSnapshot.load(groupID, schema: schema, revision: revision.catalogue, connection)
                    }
                return (snapshot, revision.catalogue)
            }
        }
    }

    private func campaign(
        _ row: GroupSnapshotQueries.Campaign, _ eventTypes: [String], previous: ServedCampaign?, _ connection: Connection
    ) throws -> ServedCampaign? {
        guard let recipe = RecipeName(rawValue: row.recipe) else { return nil }
        var failure: String?
        var model: ServedModel?
        var actions: ServedActions?
        if recipe.description.proposesActions {
            actions = try lastGood(row, previous?.actions, &failure, connection) { openActions($0, previous: previous, &$1) }
        } else {
            model = try lastGood(row, previous?.model, &failure, connection) { open($0, eventTypes, previous: previous, &$1) }
        }
        return ServedCampaign(
            id: row.id, name: row.name, status: row.status, recipe: recipe, config: (try? CampaignConfig(row.config)) ?? .standard,
            options: row.options.flatMap { try? CampaignOptions($0) } ?? .none, versionID: row.version.id, model: model,
            actions: actions, modelFailure: failure)
    }

    /// The model of the version in use; else the one in memory, or of the newest other version that opens.
    private func lastGood<Served>(
        _ row: GroupSnapshotQueries.Campaign, _ known: Served?, _ failure: inout String?, _ connection: Connection,
        open: (GroupSnapshotQueries.Version, inout String?) -> Served?
    ) throws -> Served? {
        if let served = open(row.version, &failure) ?? known { return served }
        var ignored: String?
        for other in try GroupSnapshotQueries.otherVersions(solutionID: row.solutionID, than: row.version.id, connection) {
            if let served = open(other, &ignored) { return served }
        }
        return nil
    }

    private func openActions(
        _ version: GroupSnapshotQueries.Version, previous: ServedCampaign?, _ failure: inout String?
    ) -> ServedActions? {
        if let actions = previous?.actions, actions.versionID == version.id { return actions }
        guard let key = version.modelKey, let sha256 = version.sha256 else {
            failure = "the version has no model"
            return nil
        }
        do throws(ModelError) {
            return ServedActions(versionID: version.id, model: try models.actions(key: key, sha256: sha256))
        } catch {
            failure = "\(error)"
            models.noteFailure(key: key, error)
            return nil
        }
    }

    private func open(
        _ version: GroupSnapshotQueries.Version, _ eventTypes: [String], previous: ServedCampaign?, _ failure: inout String?
    ) -> ServedModel? {
        if let model = previous?.model, model.versionID == version.id, model.eventTypes.count == eventTypes.count { return model }
        guard let key = version.modelKey, let sha256 = version.sha256 else {
            failure = "the version has no model"
            return nil
        }
        do throws(ModelError) {
            return ServedModel(try models.model(key: key, sha256: sha256), versionID: version.id, eventTypes: eventTypes)
        } catch {
            failure = "\(error)"
            models.noteFailure(key: key, error)
            return nil
        }
    }

    private static func filter(_ row: GroupSnapshotQueries.Filter, _ schema: FilterSchema) -> ServedFilter {
        do throws(FilterError) {
            let checked = try FilterExpression(parsing: row.expression).checked(against: schema)
            return ServedFilter(id: row.id, name: row.name, status: row.status, checked: checked, failure: nil)
        } catch {
            return ServedFilter(id: row.id, name: row.name, status: row.status, checked: nil, failure: error.description)
        }
    }

    private static func promotion(_ row: GroupSnapshotQueries.Promotion, _ timeZone: TimeZone) -> ServedPromotion? {
        guard let definition = PromotionDefinition(json: row.definition),
            let schedule = try? PromotionSchedule(startsAt: definition.startsAt, endsAt: definition.endsAt, timeZone: timeZone)
        else { return nil }
        return ServedPromotion(
            id: row.id, name: row.name, definition: definition, schedule: schedule, holdOutSeed: row.holdOutSeed,
            publishedOrder: row.publishedAt?.microseconds ?? 0)
    }

    private static func experiment(_ row: GroupSnapshotQueries.Experiment) -> ServedExperiment? {
        guard let bands = ArmBands(seed: row.seed, weights: row.arms.map(\.weight), coverage: row.coverage) else { return nil }
        return ServedExperiment(id: row.id, name: row.name, placementID: row.placementID, bands: bands, arms: row.arms.map(\.arm))
    }
}
