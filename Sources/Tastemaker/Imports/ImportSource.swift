import Feeds
import Foundation
import JSON
import Storage

/// Where the records of an import come from, and how they are read.
struct ImportSource {
    private struct File {
        let name: String
        let store: any ArtifactStore
        let artifact: Artifact
    }

    /// Named by `s3://`, on the contract's door.
    let isRemote: Bool
    private let files: [File]
    private let format: ImportFormat
    private let mapping: ColumnMapping?

    /// Bytes that one file may have when unpacked.
    private static let unpackedLimit = 64 << 30

    init(job: DatasetImportJob, settings: Settings) throws {
        format = job.format
        mapping = try job.columnMapping.map { try ColumnMapping(json: $0) }
        let uploadPrefix = "upload:"
        if job.dataLocation.utf8.starts(with: uploadPrefix.utf8) {
            isRemote = false
            let name = String(job.dataLocation.dropFirst(uploadPrefix.count))
            let store = try FolderStore(path: settings.uploadFolder)
            guard let artifact = try store.find(name) else { throw StorageError.notFound(name) }
            files = [File(name: name, store: store, artifact: artifact)]
        } else {
            isRemote = true
            let location = try S3Location(parsing: job.dataLocation)
            let map = try settings.bucketMap()
            let store = try map.store(for: location.bucket)
            files = try map.files(at: location).map { File(name: $0.key, store: store, artifact: $0) }
        }
    }

    /// Bytes of all files as they lie there.
    var size: Int { Int(files.reduce(0) { $0 + $1.artifact.size }) }

    /// Hands over every record of all files, in order. Lines count on over the files.
    func read(
        schema: AvroSchema, context: JobContext, record: (StagedRecord) throws -> Void, rejected: (RowError) throws -> Void
    ) throws {
        let total = max(1, size)
        var done: Int64 = 0
        var firstLine: Int64 = 0
        for file in files {
            var lastLine: Int64 = 0
            let base = firstLine
            func reject(_ error: RowError) throws {
                lastLine = max(lastLine, Int64(error.line))
                let reason = files.count > 1 ? "\(file.name) line \(error.line): \(error.reason)" : error.reason
                try rejected(RowError(line: Int(base) + error.line, reason: reason))
            }
            func accept(_ line: Int, _ make: (Int64) throws -> StagedRecord) throws {
                lastLine = max(lastLine, Int64(line))
                do { try record(make(base + Int64(line))) } catch let error as RowError {
                    try reject(RowError(line: line, reason: error.reason))
                }
            }
            var chunks = FileChunks(reader: try file.store.open(file.artifact.key), limit: Self.unpackedLimit) { count in
                done += Int64(count)
                context.progress(0.5 * Double(done) / Double(total), message: "Reading \(file.name)")
                try context.checkInterruption()
            }
            do {
                switch format {
                case .csv: try readCSV(&chunks, schema, accept, reject)
                case .merchantFeed: try readFeed(chunks, schema, accept, reject)
                }
            } catch let error as FeedError {
                throw files.count > 1 ? FeedError(line: error.line, reason: "\(file.name): \(error.reason)") : error
            }
            firstLine += lastLine
        }
    }

    private func readCSV(
        _ chunks: inout FileChunks, _ schema: AvroSchema, _ accept: (Int, (Int64) throws -> StagedRecord) throws -> Void,
        _ reject: (RowError) throws -> Void
    ) throws {
        var reader = RecordReader(
            schema: schema, sources: mapping?.sources ?? [], delimiter: mapping?.delimiter ?? UInt8(ascii: ","))
        var columns: [SchemaColumn]?
        func stage(_ row: DecodedRow, _ known: [SchemaColumn]) throws {
            try accept(row.line) { try StagedRecord(row, kind: schema.kind, columns: known, line: $0) }
        }
        // The order of the other columns is the schema's own, which the decoder keeps.
        let others = Self.otherColumns(of: schema)
        columns = others
        while let chunk = try chunks.next() {
            try reader.read(chunk, record: { try stage($0, columns ?? []) }, rejected: reject)
        }
        try reader.finish(record: { try stage($0, columns ?? []) }, rejected: reject)
    }

    /// The columns of `DecodedRow.others`.
    static func otherColumns(of schema: AvroSchema) -> [SchemaColumn] {
        guard let decoder = try? RowDecoder(header: schema.columns.map(\.name), schema: schema) else { return [] }
        return decoder.otherColumns
    }

    private func readFeed(
        _ chunks: FileChunks, _ schema: AvroSchema, _ accept: (Int, (Int64) throws -> StagedRecord) throws -> Void,
        _ reject: (RowError) throws -> Void
    ) throws {
        let columns = Set(schema.columns.map(\.name))
        let source = chunks
        try MerchantFeedReader().read(
            from: { try source.next() ?? [] },
            item: { item in try accept(item.line) { try StagedRecord(item, columns: columns, line: $0) } },
            rejected: reject)
    }
}

/// The bytes of a file in pieces, unpacked where they are packed. A class because the feed reader keeps the closure that reads on.
final class FileChunks {
    private var reader: ArtifactReader
    private var inflater: Inflater?
    private var isStarted = false
    private var isEnded = false
    private var waiting: [[UInt8]] = []
    private let limit: Int
    private let onChunk: (Int) throws -> Void

    /// Holds the unpacker, which cannot be copied.
    private final class Inflater {
        var gzip: GzipInflater

        init(limit: Int) throws { gzip = try GzipInflater(limit: limit) }
    }

    init(reader: ArtifactReader, limit: Int, onChunk: @escaping (Int) throws -> Void) {
        self.reader = reader
        self.limit = limit
        self.onChunk = onChunk
    }

    /// Nil at the end. Throws `GzipError` when the end of a packed file is missing.
    func next() throws -> [UInt8]? {
        while true {
            if !waiting.isEmpty { return waiting.removeFirst() }
            guard !isEnded else { return nil }
            let chunk = try reader.next()
            try onChunk(chunk.count)
            if !isStarted {
                isStarted = true
                if GzipInflater.isGzip(chunk) { inflater = try Inflater(limit: limit) }
            }
            guard !chunk.isEmpty else {
                isEnded = true
                try inflater?.gzip.finish()
                return nil
            }
            guard let inflater else { return chunk }
            try inflater.gzip.inflate(chunk) { waiting.append($0) }
        }
    }
}

extension Settings {
    /// Where `s3://` leads.
    func bucketMap() throws(StorageError) -> BucketMap {
        guard let s3Endpoint else { return BucketMap(folders: bucketFolders) }
        let endpoint = try S3Endpoint(
            url: s3Endpoint, accessKey: s3AccessKey ?? "", secretKey: s3SecretKey ?? "", allowsPrivateAddresses: true)
        return BucketMap(folders: bucketFolders, endpoint: endpoint)
    }
}

/// How the columns of a file fill those of a schema, as a person confirmed it; stored with the import.
struct ColumnMapping: Sendable, Equatable {
    var delimiter: UInt8
    var sources: [ColumnSource]

    init(delimiter: UInt8, sources: [ColumnSource]) {
        self.delimiter = delimiter
        self.sources = sources
    }

    init(json: JSONValue) throws {
        guard let columns = json["columns"]?.arrayValue, let delimiter = json["delimiter"]?.stringValue?.utf8.first else {
            throw JobFailure("The stored mapping of columns cannot be read.")
        }
        self.delimiter = delimiter
        sources = try columns.map { column in
            guard let name = column["column"]?.stringValue, let header = column["header"]?.stringValue else {
                throw JobFailure("The stored mapping of columns cannot be read.")
            }
            return ColumnSource(
                column: name, header: header, dateFormat: column["dateFormat"]?.stringValue.flatMap(EventDate.Format.init(rawValue:)))
        }
    }

    var json: JSONValue {
        [
            "delimiter": .string(String(decoding: [delimiter], as: UTF8.self)),
            "columns": .array(
                sources.map { source in
                    var object: JSONObject = ["column": .string(source.column), "header": .string(source.header)]
                    if let format = source.dateFormat { object["dateFormat"] = .string(format.rawValue) }
                    return .object(object)
                }),
        ]
    }
}
