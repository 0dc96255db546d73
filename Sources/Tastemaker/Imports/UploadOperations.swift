import Crypto
import Feeds
import Foundation
import JSON
import Postgres
import Storage

extension Environment {
    /// Bytes that an upload may have.
    public static let uploadLimit = 4 << 30

    /// A new name in the upload folder for a file of somebody's own naming: no path, nothing that a shell or a page would misread.
    public func uploadName(for original: String) -> String {
        let last = original.utf8.split(whereSeparator: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }).last.map(Array.init) ?? []
        let plain = last.map { byte in
            Check.isAlphanumeric(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") ? byte : UInt8(ascii: "_")
        }
        return Hex.encode(SecureRandom.bytes(4)) + "-" + String(decoding: plain.suffix(100), as: UTF8.self)
    }

    /// Looks at a file in the upload folder: what it holds, ten rows, the schema that it would make.
    public func previewUpload(fileName: String, by caller: Caller) throws(OperationError) -> UploadPreview {
        try requireUploadName(fileName)
        do {
            return try UploadSample.preview(fileName: fileName, in: settings.uploadFolder)
        } catch let error as FeedError {
            throw .invalidInput(error.description, field: "file")
        } catch let error as GzipError {
            throw .invalidInput("The file cannot be unpacked: \(error)", field: "file")
        } catch {
            throw .invalidInput("The file cannot be read: \(error)", field: "file")
        }
    }

    /// Creates what is missing of group, schemas and datasets, and starts the imports: the one confirmation after previews.
    /// Files are imported in the order catalogue, users, interactions. A dataset that exists keeps its schema, which the file must fill.
    public func confirmUploads(
        fileNames: [String], groupName: String, mode: ImportMode = .full, by caller: Caller
    ) throws(OperationError) -> [DatasetImportJob] {
        guard (1...5).contains(fileNames.count) else { throw .invalidInput("Import one to five files at a time.", field: "file") }
        var previews: [UploadPreview] = []
        for name in fileNames {
            let preview = try previewUpload(fileName: name, by: caller)
            if let problem = preview.problem { throw .invalidInput("\(name): \(problem)", field: "file") }
            guard preview.type == .items || preview.type == .users || preview.type == .interactions else {
                throw .invalidInput("\(name): files of \(preview.type.rawValue) cannot be imported yet.", field: "file")
            }
            if previews.contains(where: { $0.type == preview.type }) {
                throw .invalidInput("Two files hold \(preview.type.rawValue). Import one of them after the other.", field: "file")
            }
            previews.append(preview)
        }
        let group = try groupForUpload(named: groupName, by: caller)
        let order: [DatasetType] = [.items, .users, .interactions]
        var jobs: [DatasetImportJob] = []
        for type in order {
            guard let preview = previews.first(where: { $0.type == type }) else { continue }
            jobs.append(try startUpload(preview, into: group, mode: mode, by: caller))
        }
        return jobs
    }

    private func requireUploadName(_ name: String) throws(OperationError) {
        guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")), !name.utf8.contains(0), !name.utf8.starts(with: ".".utf8) else {
            throw .invalidInput("'\(name)' is not the name of an upload.", field: "file")
        }
    }

    private func groupForUpload(named name: String, by caller: Caller) throws(OperationError) -> DatasetGroup {
        if let group = try read({ try DatasetGroupQueries.find(name: name, $0) }) {
            try caller.require(datasetGroup: group.id, resource: "dataset-group/\(name)")
            return group
        }
        return try createDatasetGroup(CreateDatasetGroupInput(name: name), by: caller)
    }

    private func startUpload(
        _ preview: UploadPreview, into group: DatasetGroup, mode: ImportMode, by caller: Caller
    ) throws(OperationError) -> DatasetImportJob {
        let path = "\(group.name)/\(preview.type.rawValue)"
        var mode = mode
        if let schema = try read({ try schemas(ofGroup: group.id, $0)[preview.type] }) {
            try requireCover(preview, of: schema)
            let hasFull = try read { (connection) throws -> Bool in
                let dataset = try dataset(arn: arn(.dataset, path, for: caller), by: caller, connection)
                return try DatasetImportJobQueries.hasFullImport(datasetID: dataset.id, connection)
            }
            if !hasFull { mode = .full }
        } else {
            mode = .full
            try createDataset(for: preview, in: group, by: caller)
        }
        if preview.type == .items { try setGuessedDisplay(preview, of: group, by: caller) }
        let suffix = Hex.encode(SecureRandom.bytes(4))
        let name = "\(group.name.prefix(40))-\(preview.type.rawValue.lowercased().prefix(12))-\(suffix)"
        return try createDatasetImportJob(
            CreateDatasetImportJobInput(
                jobName: name, datasetARN: arn(.dataset, path, for: caller),
                source: .upload(fileName: preview.fileName, format: preview.format, columnMapping: preview.mapping?.json),
                importMode: mode.rawValue),
            by: caller)
    }

    private func createDataset(for preview: UploadPreview, in group: DatasetGroup, by caller: Caller) throws(OperationError) {
        guard let body = preview.schemaText else { throw .invalidInput("The file makes no schema.", field: "file") }
        let type = preview.type.rawValue.lowercased()
        let name = "\(group.name.prefix(40))-\(type)-\(Hex.encode(SecureRandom.bytes(4)))"
        let schema = try createSchema(CreateSchemaInput(name: name, body: body, domain: group.domain), by: caller)
        _ = try createDataset(
            CreateDatasetInput(
                name: "\(group.name.prefix(50))-\(type)".prefix(63).description, schemaARN: arn(.schema, schema.name, for: caller),
                datasetGroupARN: arn(.datasetGroup, group.name, for: caller), datasetType: preview.type.rawValue),
            by: caller)
    }

    private func requireCover(_ preview: UploadPreview, of schema: AvroSchema) throws(OperationError) {
        if preview.format == .merchantFeed { return }
        let offered = preview.mapping?.sources.map(\.column) ?? []
        let missing = schema.columns.map(\.name).filter { name in !offered.contains { $0.utf8.elementsEqual(name.utf8) } }
        guard missing.isEmpty else {
            throw .invalidInput(
                "\(preview.fileName) has no column for \(missing.joined(separator: ", ")) of the dataset's schema.", field: "file")
        }
    }

    /// Only where nobody has chosen display columns yet.
    private func setGuessedDisplay(_ preview: UploadPreview, of group: DatasetGroup, by caller: Caller) throws(OperationError) {
        guard group.displayColumns == DisplayColumns() else { return }
        var currency = group.currency
        if let named = preview.currency, named.utf8.count == 3, named.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) { currency = named }
        try updateDatasetGroupDisplay(
            id: group.id, columns: preview.displayColumns, timeZone: group.timeZone, currency: currency, by: caller)
    }
}
