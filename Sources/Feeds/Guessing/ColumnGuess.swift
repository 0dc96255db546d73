/// What a file most likely holds and how to import it: a proposal for a person to confirm, with a sentence for each guess.
public struct ColumnGuess: Sendable {
    /// One column of the file.
    public struct Column: Sendable, Equatable {
        public let header: String
        public internal(set) var role: ColumnRole
        /// The column of the proposed schema; nil when it is left out.
        public internal(set) var column: SchemaColumn?
        /// How the moments are written, of columns that hold moments.
        public internal(set) var dateFormat: EventDate.Format?
        public internal(set) var reason: String
        /// The first value.
        public let example: String
    }

    /// Files that are known by their header.
    public enum Layout: String, Sendable {
        case personalize, movieLens, retailRocket, merchantFeed, other
    }

    public let kind: DatasetKind
    public let layout: Layout
    /// Why this kind.
    public let reason: String
    public let delimiter: UInt8
    public let columns: [Column]
    /// nil when the file lacks what the kind requires; `problem` says what.
    public let schema: AvroSchema?
    public let problem: String?
    /// How the file's columns fill the schema's.
    public let sources: [ColumnSource]
    /// The first ten rows as they would be imported, and what was wrong with those that would not.
    public let preview: [DecodedRow]
    public let rejected: [RowError]

    /// Looks at the first part of a file, some hundred rows being plenty. Throws when there is no header line to read.
    public init(fileName: String, sample: [UInt8]) throws(FeedError) {
        self.init(fileName: fileName, sample: try FileSample(sample))
    }

    public init(fileName: String, header: [String], rows: [[String]]) {
        self.init(fileName: fileName, sample: FileSample(header: header, rows: rows.map { $0.map { Array($0.utf8) } }))
    }

    init(fileName: String, sample: FileSample) {
        var draft = GuessDraft(fileName: fileName, sample: sample)
        draft.run()
        kind = draft.kind
        layout = draft.layout
        reason = draft.reason
        delimiter = sample.delimiter
        columns = draft.columns
        let columns = draft.columns.compactMap(\.column)
        var schema: AvroSchema?
        var problem = draft.problem
        do throws(SchemaError) { schema = try AvroSchema(kind: draft.kind, columns: columns) } catch {
            problem = problem ?? error.description
        }
        self.schema = schema
        self.problem = problem
        sources = draft.columns.compactMap { guess in
            guess.column.map { ColumnSource(column: $0.name, header: guess.header, dateFormat: guess.dateFormat) }
        }
        (preview, rejected) = Self.convert(sample, schema, sources)
    }

    private static func convert(
        _ sample: FileSample, _ schema: AvroSchema?, _ sources: [ColumnSource]
    ) -> ([DecodedRow], [RowError]) {
        guard let schema else { return ([], []) }
        var records: [DecodedRow] = []
        var errors: [RowError] = []
        do throws(FeedError) {
            let decoder = try RowDecoder(header: sample.header, schema: schema, sources: sources)
            for (position, row) in sample.rows.prefix(10).enumerated() {
                do throws(RowError) { records.append(try decoder.decode(fields: row, line: position + 2)) } catch {
                    errors.append(error)
                }
            }
        } catch {
            errors.append(RowError(line: 1, reason: error.reason))
        }
        return (records, errors)
    }
}

extension RowDecoder {
    /// Decodes a row that was split already.
    public func decode(fields: [[UInt8]], line: Int) throws(RowError) -> DecodedRow {
        var bytes: [UInt8] = []
        var ranges: [CSVField] = []
        for field in fields {
            ranges.append(CSVField(start: bytes.count, count: field.count, isUnescaped: false))
            bytes += field
        }
        let result: Result<DecodedRow, RowError> = bytes.withUnsafeBufferPointer { buffer in
            ranges.withUnsafeBufferPointer { fields in
                let row = CSVRow(input: buffer, unescaped: UnsafeBufferPointer(start: nil, count: 0), fields: fields, line: line)
                do throws(RowError) { return .success(try decode(row)) } catch { return .failure(error) }
            }
        }
        return try result.get()
    }
}
