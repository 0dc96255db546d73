/// Reads a CSV file of one dataset: chunks in, checked records out.
public struct RecordReader: ~Copyable {
    public let schema: AvroSchema
    /// Made from the header, so nil before its line was read.
    public private(set) var decoder: RowDecoder?
    private let sources: [ColumnSource]
    private var reader: CSVReader

    public init(
        schema: AvroSchema, sources: [ColumnSource] = [], delimiter: UInt8 = UInt8(ascii: ","), limits: CSVLimits = CSVLimits()
    ) {
        self.schema = schema
        self.sources = sources
        reader = CSVReader(delimiter: delimiter, limits: limits)
    }

    /// Throws `FeedError` when the header does not fit the schema, and what the closures throw.
    public mutating func read(
        _ chunk: some Sequence<UInt8>, record: (DecodedRow) throws -> Void, rejected: (RowError) throws -> Void
    ) throws {
        var decoder = decoder
        defer { self.decoder = decoder }
        do {
            try reader.read(chunk) {
                decoder = try RowDecoder(header: $0, schema: schema, sources: sources)
            } row: { row in
                try Self.decode(row, decoder, record, rejected)
            } rejected: {
                try rejected($0)
            }
        } catch let error as RowError where decoder == nil {
            throw FeedError(line: error.line, reason: error.reason)
        }
    }

    /// Reads the last record. Throws `FeedError` also when there was no header.
    public mutating func finish(record: (DecodedRow) throws -> Void, rejected: (RowError) throws -> Void) throws {
        var decoder = decoder
        defer { self.decoder = decoder }
        do {
            try reader.finish {
                decoder = try RowDecoder(header: $0, schema: schema, sources: sources)
            } row: { row in
                try Self.decode(row, decoder, record, rejected)
            } rejected: {
                try rejected($0)
            }
        } catch let error as RowError where decoder == nil {
            throw FeedError(line: error.line, reason: error.reason)
        }
        guard decoder != nil else { throw FeedError(line: 1, reason: "the file is empty, a header line was expected") }
    }

    private static func decode(
        _ row: borrowing CSVRow, _ decoder: RowDecoder?, _ record: (DecodedRow) throws -> Void,
        _ rejected: (RowError) throws -> Void
    ) throws {
        let result: DecodedRow
        do throws(RowError) {
            guard let decoded = try decoder?.decode(row) else { return }
            result = decoded
        } catch {
            return try rejected(error)
        }
        try record(result)
    }
}
