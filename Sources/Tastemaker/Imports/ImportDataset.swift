import Feeds
import Foundation
import JSON
import Logging
import Postgres
import Storage

/// The work behind a dataset import job: files to staging, staging to rows.
enum ImportDataset {
    static let rule = JobRule(timeout: 4 * 3600) { environment, context in
        guard let id = context.payload["importJobID"]?.intValue else { throw JobFailure("The job names no import.") }
        guard let job = try environment.read({ try DatasetImportJobQueries.find(id: Int32(id), $0) }) else { return }
        guard job.status == .createPending || job.status == .createInProgress else { return }
        let run = ImportRun(environment: environment, context: context, job: job)
        defer { run.cleanUp() }
        do {
            try run.run()
        } catch let error as FeedError {
            throw JobFailure(error.description)
        } catch let error as GzipError {
            throw JobFailure("The file cannot be unpacked: \(error)")
        } catch let error as StorageError {
            if case .unavailable = error { throw error }
            throw JobFailure(error.description)
        }
    } abandon: { environment, payload, end, connection in
        guard let id = payload["importJobID"]?.intValue else { return }
        let reason =
            switch end {
            case .cancelled: "The import was cancelled."
            case .failed(let reason): reason
            }
        try ImportQueries.fail(Int32(id), reason: reason, at: environment.now(), connection)
    }
}

/// One attempt at an import.
struct ImportRun {
    let environment: Environment
    let context: JobContext
    let job: DatasetImportJob

    /// Staging tables are an attempt's own: a late twin can neither fill nor drop another's.
    var staging: ImportStaging { ImportStaging(importID: job.id, attempt: context.attempt) }
    var groupID: Int32 { job.dataset.datasetGroupID }
    /// Of interactions; records have none.
    var kind: InteractionKind { job.dataset.type.interactionKind ?? .items }
    private let log = Logger(label: "tastemaker.imports")

    init(environment: Environment, context: JobContext, job: DatasetImportJob) {
        self.environment = environment
        self.context = context
        self.job = job
    }

    /// Does a step and logs how long it took.
    func timed<T>(_ step: String, _ body: () throws -> T) rethrows -> T {
        let start = ContinuousClock.now
        let result = try body()
        let seconds = (ContinuousClock.now - start) / .milliseconds(1) / 1000
        log.info("import step", metadata: ["import": "\(job.id)", "step": "\(step)", "seconds": "\(seconds)"])
        return result
    }

    func run() throws {
        try begin()
        let schema = try environment.read { try environment.schema(id: job.dataset.schemaID, $0).parsed() }
        let source = try ImportSource(job: job, settings: environment.settings)
        let (report, rows) = try timed("stage") { try stage(source, schema) }
        try environment.transact { connection in
            try context.requireCurrent(connection)
            try ImportQueries.storeReport(job.id, report, at: environment.now(), connection)
        }
        try requireEnough(report, from: source)
        try context.checkInterruption()
        context.progress(0.5, message: "Numbering ids")
        if let rows {
            let numbers = try timed("number ids") { try number(rows) }
            context.progress(0.7, message: "Storing \(report.accepted) records")
            return try mergeInteractions(report) { connection in try store(rows, numbers, connection) }
        }
        try timed("number ids") { try intern() }
        try context.checkInterruption()
        context.progress(0.7, message: "Storing \(report.accepted) records")
        switch job.dataset.type {
        case .interactions, .actionInteractions: try mergeInteractions(report) { connection in try merge(report, connection) }
        case .items: try mergeRecords(report, .items)
        case .users: try mergeRecords(report, .users)
        case .actions: try mergeRecords(report, .actions)
        }
    }

    private func begin() throws {
        try environment.transact { connection in
            try context.requireCurrent(connection)
            try ImportQueries.begin(job.id, at: environment.now(), connection)
        }
    }

    /// Reads the input. Interactions are kept in memory where they fit; other records, and what is too large, go to the staging table.
    private func stage(_ source: ImportSource, _ schema: AvroSchema) throws -> (ImportReport, StagedInteractions?) {
        if job.dataset.type.interactionKind != nil, let (report, rows) = try stageInMemory(source, schema) { return (report, rows) }
        return (try stageInTable(source, schema), nil)
    }

    private func stageInTable(_ source: ImportSource, _ schema: AvroSchema) throws -> ImportReport {
        try environment.transact { connection in
            try context.requireCurrent(connection)
            try staging.make(connection)
        }
        return try environment.withLongConnection { connection in
            var report = ImportReport()
            let count = try connection.copyIn(staging.copyTarget) { (writer: inout CopyWriter) throws in
                try source.read(schema: schema, context: context) { (record: StagedRecord) throws in
                    report.accepted += 1
                    try record.write(to: &writer)
                } rejected: { (error: RowError) throws in
                    report.reject(error)
                }
            }
            guard count == report.accepted else { throw StagingLost() }
            return report
        }
    }

    /// The contract's minimum holds where the contract is spoken; a file that a person gave us may be small.
    private func requireEnough(_ report: ImportReport, from source: ImportSource) throws {
        if report.accepted == 0 {
            let first = report.errors.first.map { " The first: line \($0.line): \($0.reason)" } ?? ""
            throw JobFailure("The input has no valid record; \(report.rejected) were rejected.\(first)")
        }
        if job.dataset.type == .interactions, source.isRemote, report.accepted < 1000 {
            throw JobFailure("Interactions imports need at least 1000 records, but the input has \(report.accepted) valid ones.")
        }
    }

    /// Ids of unknown users, items and event types, in short transactions: each locks the group's counters until it ends.
    private func intern() throws {
        try environment.withLongConnection { reader in
            for kind in ImportStaging.IDKind.allCases where kind.isUsed(by: job.dataset.type) {
                var batch: [[UInt8]] = []
                try reader.copyOut(staging.unknown(kind, groupID: groupID)) { (row: inout CopyReader) throws in
                    batch.append(try row.bytes())
                    guard batch.count >= 10_000 else { return }
                    try context.checkInterruption()
                    try add(batch, kind)
                    batch.removeAll(keepingCapacity: true)
                }
                if !batch.isEmpty { try add(batch, kind) }
            }
        }
    }

    private func add(_ ids: [[UInt8]], _ kind: ImportStaging.IDKind) throws {
        try environment.transact { connection in _ = try ImportQueries.intern(ids, kind, groupID: groupID, connection) }
    }

    /// `store` puts the rows into the import's own part, brings the histories up to date, and answers how many rows there were.
    private func mergeInteractions(_ report: ImportReport, store: (Connection) throws -> Int) throws {
        let dataset = job.dataset.id
        // Making a partition locks out writers for a moment, so it has a transaction of its own.
        try environment.transact { connection in try EventQueries.addPart(dataset: dataset, part: job.id, connection) }
        try environment.withLongConnection { connection in
            try connection.transaction { (connection) throws in
                try ImportQueries.beginMerge(dataset: dataset, connection)
                let stored = try store(connection)
                try publish(duplicates: report.accepted - stored, connection)
                if kind == .items { try ActivityMarks.addAll(groupID, connection) }
                try environment.enqueueAdvance(ofGroup: groupID, connection)
                try environment.bumpResources(connection, datasetGroupID: groupID)
            }
        }
        try environment.withLongConnection { connection in try ImportQueries.dropEmptyParts(dataset: dataset, connection) }
    }

    private func merge(_ report: ImportReport, _ connection: Connection) throws -> Int {
        try requireWhole(report, connection)
        let dataset = job.dataset.id
        let stored = try timed("merge") {
            try ImportQueries.mergeInteractions(
                staging, kind, importID: job.id, dataset: dataset, groupID: groupID, isIncremental: job.importMode == .incremental,
                connection)
        }
        try replaceOthers(connection)
        try timed("histories") { try HistoryQueries.rebuild(kind, dataset: dataset, groupID: groupID, connection) }
        return stored
    }

    func replaceOthers(_ connection: Connection) throws {
        if job.importMode == .full { try ImportQueries.deleteOtherParts(dataset: job.dataset.id, keeping: job.id, connection) }
        try context.checkInterruption()
        context.progress(0.85, message: "Rebuilding the users' recent histories")
    }

    private func mergeRecords(_ report: ImportReport, _ kind: ImportQueries.RecordKind) throws {
        try environment.withLongConnection { connection in
            try connection.transaction { (connection) throws in
                try ImportQueries.beginMerge(dataset: job.dataset.id, connection)
                try requireWhole(report, connection)
                let isFull = job.importMode == .full
                if isFull, kind == .items { try requireFewWithdrawn(connection) }
                let revision =
                    kind == .actions
                    ? try environment.nextActionRevision(connection, datasetGroupID: groupID)
                    : try environment.nextCatalogueRevision(connection, datasetGroupID: groupID, whole: isFull)
                let distinct = try ImportQueries.mergeRecords(
                    staging, kind, groupID: groupID, isFull: isFull, revision: revision, connection)
                try context.checkInterruption()
                try publish(duplicates: report.accepted - distinct, connection)
                try environment.notifyCatalogue(connection, datasetGroupID: groupID)
            }
        }
    }

    /// A feed that breaks off in the shop's own export is well formed and short: it must not empty the shop unasked.
    private func requireFewWithdrawn(_ connection: Connection) throws {
        guard context.payload["allowsWithdrawal"]?.boolValue == false else { return }
        let (items, withdrawn) = try ImportQueries.countWithdrawn(staging, groupID: groupID, connection)
        guard withdrawn * 5 > items else { return }
        throw JobFailure(
            "The file leaves out \(withdrawn) of \(items) items, which is more than a fifth, so nothing was changed. If they are to go, "
                + "load the file again and confirm that.")
    }

    /// Staging is unlogged: after a restart of the server it is empty, and the attempt starts over.
    private func requireWhole(_ report: ImportReport, _ connection: Connection) throws {
        guard try staging.count(connection) == report.accepted else { throw StagingLost() }
    }

    private func publish(duplicates: Int, _ connection: Connection) throws {
        try context.finish(connection, at: environment.now())
        guard try ImportQueries.activate(job.id, duplicates: duplicates, at: environment.now(), connection) else {
            throw JobInterruption.lost
        }
    }

    func cleanUp() {
        try? environment.transact { connection in try staging.drop(connection) }
    }
}

/// What was staged is not what was read: the database restarted meanwhile. The next attempt starts over.
struct StagingLost: Error, CustomStringConvertible {
    var description: String { "The database restarted during the import, and what was read is gone." }
}

/// What became of the rows of an import.
struct ImportReport {
    static let errorLimit = 1000

    var accepted = 0
    var rejected = 0
    private(set) var errors: [RowError] = []

    mutating func reject(_ error: RowError) {
        rejected += 1
        if errors.count < Self.errorLimit { errors.append(error) }
    }
}
