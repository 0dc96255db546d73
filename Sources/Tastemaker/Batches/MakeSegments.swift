import FilterLanguage
import Foundation
import Glibc
import JSON
import Postgres
import Ranking
import Storage

/// The work behind a batch segment job: queries from the store, all users scored, one answer file for each input file.
enum MakeSegments {
    static let rule = JobRule(timeout: 12 * 3600) { environment, context in
        guard let id = context.payload["batchSegmentJobID"]?.intValue else { throw JobFailure("The job names no batch segment job.") }
        guard let job = try environment.read({ try BatchSegmentJobQueries.find(id: Int32(id), $0) }) else { return }
        guard job.status == .createPending || job.status == .createInProgress else { return }
        do {
            try SegmentRun(environment: environment, context: context, job: job).run()
        } catch let error as FitError {
            if error == .cancelled { throw context.interruption ?? .cancelled }
            throw JobFailure(error.message)
        } catch let error as ModelError {
            throw JobFailure(error.message)
        } catch let error as StorageError {
            if case .unavailable = error { throw error }
            throw JobFailure(error.description)
        }
    } abandon: { environment, payload, end, connection in
        guard let id = payload["batchSegmentJobID"]?.intValue else { return }
        let reason =
            switch end {
            case .cancelled: "The job was cancelled."
            case .failed(let reason): reason
            }
        try BatchSegmentJobQueries.fail(Int32(id), reason: reason, at: environment.now(), connection)
    }
}

/// One attempt at a batch of segments.
struct SegmentRun {
    let environment: Environment
    let context: JobContext
    let job: BatchSegmentJob

    /// The contract's bounds on queries; the longest of them fit into a file of this size many times over.
    private static let itemQueryLimit = 500
    private static let attributeQueryLimit = 10
    private static let fileLimit = 4 << 20

    private var groupID: Int32 { job.version.solution.datasetGroupID }
    private var byAttributes: Bool { job.version.solution.recipe.description.needs.contains(.itemAttributes) }

    func run() throws {
        try environment.transact { connection in
            try context.requireCurrent(connection)
            try BatchSegmentJobQueries.begin(job.id, at: environment.now(), connection)
        }
        context.progress(0, message: "Reading the input")
        var inputs = try readInputs()
        guard let stored = try environment.read({ try BatchSegmentJobQueries.model(of: job.version.id, $0) }) else {
            throw JobFailure("The solution version has no model.")
        }
        let users = try readUsers()
        if let expression = job.filterExpression { try filter(&inputs, expression, userCount: users.count) }
        let holder = try ModelStore(environment: environment).model(key: stored.key, sha256: stored.sha256)
        let answers = try SegmentOutput(folder: environment.settings.uploadFolder, job: job, attempt: context.attempt, inputs: inputs)
        defer { answers.remove() }
        try ask(holder.model, inputs, users, answers)
        try context.checkInterruption()
        context.progress(0.97, message: "Storing the segments")
        try answers.store(environment.settings.bucketMap())
        try environment.transact { connection in
            try BatchSegmentJobQueries.activate(job.id, at: environment.now(), connection)
            try context.finish(connection, at: environment.now())
        }
    }

    private func readInputs() throws -> [SegmentInput] {
        let location = try S3Location(parsing: job.inputPath)
        let map = try environment.settings.bucketMap()
        let store = try map.store(for: location.bucket)
        var inputs: [SegmentInput] = []
        for file in try map.files(at: location, endings: [".json", ".jsonl", ".txt"], what: "JSON Lines") {
            try context.checkInterruption()
            let name = file.key.split(separator: "/").last.map(String.init) ?? file.key
            inputs.append(SegmentInput(name: name, try store.get(file.key, limit: Self.fileLimit), byAttributes: byAttributes))
        }
        let count = inputs.reduce(0) { $0 + $1.lines.count }
        let limit = byAttributes ? Self.attributeQueryLimit : Self.itemQueryLimit
        guard count > 0 else { throw JobFailure("The input has no queries.") }
        guard count <= limit else { throw JobFailure("The input has \(count) queries; a batch segment job takes at most \(limit).") }
        return inputs
    }

    /// Those who may be in a segment: users who were erased are not among the keys any more.
    private func readUsers() throws -> ItemKeys {
        var keys = ItemKeys()
        try environment.withLongConnection { connection in
            _ = try connection.copyOut(BatchSegmentJobQueries.users(ofGroup: groupID)) { (row: inout CopyReader) throws in
                keys.append(id: try row.int32(), try row.bytes())
                if keys.keyCount % 65_536 == 0 { try context.checkInterruption() }
            }
        }
        return keys
    }

    /// Applies the job's filter to every line.
    private func filter(_ inputs: inout [SegmentInput], _ expression: String, userCount: Int) throws {
        let filter = try environment.withLongConnection { connection in
            try SegmentFilter(
                expression, groupID: groupID, userCount: userCount, schemas: try environment.schemas(ofGroup: groupID, connection),
                connection)
        }
        var known: [[UInt8]: RowBitmap] = [:]
        for index in inputs.indices { inputs[index].apply(filter, known: &known) }
    }

    /// Hands every line's answer to `answers`, in order.
    private func ask(_ model: Model, _ inputs: [SegmentInput], _ users: ItemKeys, _ answers: SegmentOutput) throws {
        let lines = inputs.flatMap(\.lines)
        let texts = lines.compactMap { line in if case .success(.item(let text)) = line.question { text } else { nil } }
        let ids = try environment.read { try BatchSegmentJobQueries.itemIDs(texts, groupID: groupID, $0) }
        // An item that nobody knows gets a number that no item has, and with it the model's own refusal.
        let queries: [SegmentQuery] = lines.compactMap { line in
            switch line.question {
            case .success(.item(let text)): .item(ids[Array(text.utf8)] ?? -1)
            case .success(.attributes(let query, _)): .attributes(query)
            case .failure: nil
            }
        }
        let places = lines.indices.filter { if case .success = lines[$0].question { true } else { false } }
        let admitted = places.map { lines[$0].admitted }
        var options = SegmentOptions(
            count: job.userCount, threads: max(1, environment.settings.trainingThreads),
            memoryBudgetBytes: environment.settings.trainingMemoryBytes / 4, admits: { users.contains($0) })
        options.admitsToSegment = { query, user in admitted[query].map { Int(user) < $0.count && $0[Int(user)] } ?? true }
        var next = 0
        func refuse(until end: Int) throws(StorageError) {
            while next < end {
                if case .failure(let refusal) = lines[next].question { try answers.write(next, lines[next].answer(.failure(refusal))) }
                next += 1
            }
        }
        try model.segments(queries, options) { share, message in
            context.progress(0.05 + 0.9 * share, message: message)
            return !context.isCancelled
        } deliver: { (index, answer) throws(FitError) in
            let place = places[index]
            let outcome = answer.map { $0.map { users.bytes($0.user) } }.mapError { SegmentInput.Refusal(sentence: $0.sentence) }
            do throws(StorageError) {
                try refuse(until: place)
                try answers.write(place, lines[place].answer(outcome))
            } catch { throw .unusableData("The segments cannot be written: \(error.description).") }
            next = place + 1
        }
        try refuse(until: lines.count)
    }
}
