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

    /// Looks at a file in the upload folder: what it holds, ten rows, the schema that it would make, or what a dataset that the group has
    /// already would take of it.
    public func previewUpload(fileName: String, groupName: String, by caller: Caller) throws(OperationError) -> UploadPreview {
        let preview = try previewUpload(fileName: fileName, by: caller)
        let existing = try read { connection -> AvroSchema? in
            guard let group = try DatasetGroupQueries.find(name: groupName, connection) else { return nil }
            try caller.require(datasetGroup: group.id, resource: "dataset-group/\(groupName)")
            return try schemas(ofGroup: group.id, connection)[preview.type]
        }
        return existing.map(preview.within) ?? preview
    }

    func previewUpload(fileName: String, by caller: Caller) throws(OperationError) -> UploadPreview {
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

    /// Creates what is missing of group, schemas and datasets, and starts the imports: the one confirmation after previews, stored whole or
    /// not at all. Files are imported in the order catalogue, users, interactions, actions, responses to them. A dataset that exists keeps
    /// its schema, which the file must fill.
    /// - Parameter allowsWithdrawal: a catalogue may lose more than a fifth of its items; else its import fails and changes nothing.
    public func confirmUploads(
        fileNames: [String], groupName: String, mode: ImportMode = .full, allowsWithdrawal: Bool = false, by caller: Caller
    ) throws(OperationError) -> [DatasetImportJob] {
        guard (1...5).contains(fileNames.count) else { throw .invalidInput("Import one to five files at a time.", field: "file") }
        var previews: [UploadPreview] = []
        for name in fileNames {
            let preview = try previewUpload(fileName: name, by: caller)
            if let problem = preview.problem { throw .invalidInput("\(name): \(problem)", field: "file") }
            if previews.contains(where: { $0.type == preview.type }) {
                throw .invalidInput("Two files hold \(preview.type.rawValue). Import one of them after the other.", field: "file")
            }
            previews.append(preview)
        }
        return try change { connection in
            let group = try groupForUpload(named: groupName, by: caller, connection)
            let order: [DatasetType] = [.items, .users, .interactions, .actions, .actionInteractions]
            return try order.compactMap { type in previews.first { $0.type == type } }.map { preview in
                try startUpload(preview, into: group, mode: mode, allowsWithdrawal: allowsWithdrawal, by: caller, connection)
            }
        }
    }

    private func requireUploadName(_ name: String) throws(OperationError) {
        guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")), !name.utf8.contains(0), !name.utf8.starts(with: ".".utf8) else {
            throw .invalidInput("'\(name)' is not the name of an upload.", field: "file")
        }
    }

    private func groupForUpload(named name: String, by caller: Caller, _ connection: Connection) throws -> DatasetGroup {
        if let group = try DatasetGroupQueries.find(name: name, connection) {
            try caller.require(datasetGroup: group.id, resource: "dataset-group/\(name)")
            return group
        }
        let input = CreateDatasetGroupInput(name: name)
        try check(input, by: caller)
        return try storeDatasetGroup(input, by: caller, connection)
    }

    private func startUpload(
        _ preview: UploadPreview, into group: DatasetGroup, mode: ImportMode, allowsWithdrawal: Bool, by caller: Caller,
        _ connection: Connection
    ) throws -> DatasetImportJob {
        let path = "\(group.name)/\(preview.type.rawValue)"
        var mode = mode
        if let schema = try schemas(ofGroup: group.id, connection)[preview.type] {
            try requireCover(preview, of: schema)
            let dataset = try dataset(arn: arn(.dataset, path, for: caller), by: caller, connection)
            if try !DatasetImportJobQueries.hasFullImport(datasetID: dataset.id, connection) { mode = .full }
        } else {
            mode = .full
            try createDataset(for: preview, in: group, by: caller, connection)
        }
        if preview.type == .items { try setGuessedDisplay(preview, of: group, by: caller, connection) }
        let suffix = Hex.encode(SecureRandom.bytes(4))
        var input = CreateDatasetImportJobInput(
            jobName: "\(group.name.prefix(34))-\(preview.type.rawValue.lowercased())-\(suffix)",
            datasetARN: arn(.dataset, path, for: caller),
            source: .upload(fileName: preview.fileName, format: preview.format, columnMapping: preview.mapping?.json),
            importMode: mode.rawValue)
        input.allowsWithdrawal = allowsWithdrawal
        return try storeDatasetImportJob(input, by: caller, connection)
    }

    private func createDataset(
        for preview: UploadPreview, in group: DatasetGroup, by caller: Caller, _ connection: Connection
    ) throws {
        guard let body = preview.schemaText else { throw OperationError.invalidInput("The file makes no schema.", field: "file") }
        let type = preview.type.rawValue.lowercased()
        let name = "\(group.name.prefix(34))-\(type)-\(Hex.encode(SecureRandom.bytes(4)))"
        _ = try DatasetSchema.parse(body, domain: group.domain, field: "file")
        let schema = try storeSchema(CreateSchemaInput(name: name, body: body, domain: group.domain), by: caller, connection)
        _ = try storeDataset(
            CreateDatasetInput(
                name: "\(group.name.prefix(43))-\(type)", schemaARN: arn(.schema, schema.name, for: caller),
                datasetGroupARN: arn(.datasetGroup, group.name, for: caller), datasetType: preview.type.rawValue),
            preview.type, by: caller, connection)
    }

    private func requireCover(_ preview: UploadPreview, of schema: AvroSchema) throws(OperationError) {
        let missing = preview.missing(of: schema)
        guard missing.isEmpty else {
            throw .invalidInput(
                "\(preview.fileName) has no column for \(missing.joined(separator: ", ")) of the dataset's schema.", field: "file")
        }
    }

    /// Only where nobody has chosen display columns yet.
    private func setGuessedDisplay(
        _ preview: UploadPreview, of group: DatasetGroup, by caller: Caller, _ connection: Connection
    ) throws {
        guard group.displayColumns == DisplayColumns() else { return }
        var currency = group.currency
        if let named = preview.currency, named.utf8.count == 3, named.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) { currency = named }
        try storeDisplay(
            of: group.id, columns: preview.displayColumns, timeZone: group.timeZone, currency: currency, by: caller, connection)
    }
}
