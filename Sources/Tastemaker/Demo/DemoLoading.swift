import Foundation
import Postgres

extension Environment {
    /// Makes the demo shop: data by imports, models by jobs, the last days by simulated visitors; everything by the product's own
    /// operations. What a failure leaves is removed. `say` tells the person who waits.
    /// - Parameter runsJobs: does the jobs in this process, where no worker runs.
    @discardableResult
    public func loadDemo(
        _ size: DemoSize = .shipped, runsJobs: Bool = false, by caller: Caller = Caller(.command), say: (String) -> Void
    ) throws(OperationError) -> DatasetGroup {
        if try demoGroup() != nil { throw .alreadyExists("The demo shop is loaded. `tastemaker demo remove` removes it.") }
        let loader = DemoLoader(environment: self, size: size, runsJobs: runsJobs, caller: caller, end: now())
        do throws(OperationError) {
            return try loader.load(say)
        } catch {
            try? removeDemo(by: caller)
            throw error
        }
    }
}

/// The steps of loading the demo shop.
struct DemoLoader: Sendable {
    let environment: Environment
    let size: DemoSize
    let runsJobs: Bool
    let caller: Caller
    /// When the simulated time ends.
    let end: PGTimestamp

    func load(_ say: (String) -> Void) throws(OperationError) -> DatasetGroup {
        let catalogue =
            size.products == DemoSize.shipped.products ? .shipped : DemoCatalogue(seed: DemoCatalogue.shipped.seed, count: size.products)
        let population = DemoPopulation(
            catalogue: catalogue, visitorCount: size.visitors, days: DemoShop.days, newcomers: size.newcomers, liveDays: size.liveDays)
        say("Demo shop: importing \(catalogue.products.count) products and \(Int(DemoShop.days - size.liveDays)) days of visits")
        let group = try makeGroup()
        try importFiles(DemoFiles(catalogue: catalogue, end: end), population, group)
        say("Demo shop: training the first models")
        try environment.createDefaultPlacements(datasetGroupID: group.id, by: caller)
        try finishWork(of: group)
        try requireModels(group)
        say("Demo shop: living through the last \(Int(size.liveDays)) days")
        var simulation = DemoSimulation(environment, group: group, population: population, end: end, liveDays: size.liveDays)
        var told = 0.0
        try simulation.run { done in
            guard done - told >= 0.25 else { return }
            told = done
            say("Demo shop: \(Int(done * 100)) % of the visits are made")
        }
        say("Demo shop: \(simulation.eventCount) events and \(simulation.listCount) lists; training on all of it")
        try retrain(group)
        return try environment.describeDatasetGroup(id: group.id, by: caller)
    }

    private func makeGroup() throws(OperationError) -> DatasetGroup {
        var input = CreateDatasetGroupInput(name: DemoShop.groupName)
        input.isSimulated = true
        let group = try environment.createDatasetGroup(input, by: caller)
        try environment.updateDatasetGroupDisplay(
            id: group.id,
            columns: DisplayColumns(title: "TITLE", link: "LINK", image: "IMAGE", price: "PRICE", category: "CATEGORY", brand: "BRAND"),
            timeZone: DemoShop.timeZone, currency: DemoShop.currency, by: caller)
        _ = try environment.createEventTracker(
            CreateEventTrackerInput(
                name: DemoShop.groupName, datasetGroupARN: environment.arn(.datasetGroup, group.name, for: caller), origins: origins),
            by: caller)
        return try environment.describeDatasetGroup(id: group.id, by: caller)
    }

    /// Where the shop's own pages come from.
    private var origins: [String] {
        guard let url = URL(string: environment.settings.publicURL), let scheme = url.scheme, let host = url.host() else { return [] }
        return [url.port.map { "\(scheme)://\(host):\($0)" } ?? "\(scheme)://\(host)"]
    }

    private func importFiles(_ files: DemoFiles, _ population: DemoPopulation, _ group: DatasetGroup) throws(OperationError) {
        let parts: [(type: DatasetType, schema: String, csv: [UInt8])] = [
            (.items, DemoFiles.itemsSchema, files.items()),
            (.users, DemoFiles.usersSchema, files.users(Array(population.visitors.prefix(size.visitors)))),
            (.interactions, DemoFiles.interactionsSchema, files.interactions(population, before: size.liveDays)),
        ]
        var jobs: [DatasetImportJob] = []
        for (part, file) in zip(parts, DemoShop.uploads) {
            let name = "\(DemoShop.groupName)-\(part.type.rawValue.lowercased())"
            let schema = try environment.createSchema(CreateSchemaInput(name: name, body: part.schema), by: caller)
            let dataset = try environment.createDataset(
                CreateDatasetInput(
                    name: name, schemaARN: environment.arn(.schema, schema.name, for: caller),
                    datasetGroupARN: environment.arn(.datasetGroup, group.name, for: caller), datasetType: part.type.rawValue),
                by: caller)
            try write(part.csv, to: file)
            jobs.append(
                try environment.createDatasetImportJob(
                    CreateDatasetImportJobInput(
                        jobName: name, datasetARN: environment.arn(.dataset, dataset.path, for: caller),
                        source: .upload(fileName: file, format: .csv, columnMapping: nil)), by: caller))
        }
        try finishWork(of: group)
        for job in jobs {
            let done = try environment.describeDatasetImportJob(arn: environment.arn(.datasetImportJob, job.name, for: caller), by: caller)
            guard done.status == .active else {
                throw .unavailable("The import \(job.name) is \(done.status.rawValue): \(done.failureReason ?? "no reason is known")")
            }
        }
    }

    private func write(_ bytes: [UInt8], to file: String) throws(OperationError) {
        do {
            let path = "\(environment.settings.uploadFolder)/\(file)"
            try FileManager.default.createDirectory(atPath: environment.settings.uploadFolder, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            // The job worker may be another user.
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        } catch {
            throw .unavailable("\(file) cannot be written to \(environment.settings.uploadFolder): \(error.localizedDescription)")
        }
    }

    /// Waits until none of the group's jobs is left.
    private func finishWork(of group: DatasetGroup) throws(OperationError) {
        let worker = runsJobs ? JobWorker(environment) : nil
        let deadline = Date(timeIntervalSinceNow: 300)
        while try environment.read({ try DemoQueries.hasUnfinishedWork(group.id, $0) }) {
            if worker?.runAvailable(limit: 20) ?? 0 == 0 { Thread.sleep(forTimeInterval: 0.1) }
            guard Date() < deadline else { throw .unavailable("The demo shop's jobs do not end. Is `tastemaker work` running?") }
        }
    }

    private func requireModels(_ group: DatasetGroup) throws(OperationError) {
        for placement in try environment.listPlacements(datasetGroupID: group.id, by: caller) where placement.campaignName == nil {
            guard [DemoShop.forYou, DemoShop.popular, DemoShop.similar].contains(placement.name) else { continue }
            throw .unavailable("The placement \(placement.name) got no model. The group's solutions say why.")
        }
    }

    /// The models of the end know the last days too; their campaigns follow by themselves.
    private func retrain(_ group: DatasetGroup) throws(OperationError) {
        let groupARN = environment.arn(.datasetGroup, group.name, for: caller)
        for solution in try environment.listSolutions(datasetGroupARN: groupARN, PageRequest(), by: caller).items {
            _ = try environment.createSolutionVersion(
                CreateSolutionVersionInput(solutionARN: environment.arn(.solution, solution.name, for: caller)), by: caller)
        }
        try finishWork(of: group)
    }
}
