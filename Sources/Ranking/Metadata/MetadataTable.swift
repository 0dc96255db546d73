/// What is known of items or users beyond their events: one record per id, in columns.
public struct MetadataTable: Sendable {
    /// Interned ids, each once, in any order; parallel to the columns' records.
    public var ids: [Int32]
    public var columns: [MetadataColumn]

    public init(ids: [Int32] = [], columns: [MetadataColumn] = []) {
        self.ids = ids
        self.columns = columns
    }

    public var count: Int { ids.count }

    /// The column of a name, compared without regard to case.
    public func column(_ name: String) -> MetadataColumn? {
        columns.first { $0.name.lowercased().utf8.elementsEqual(name.lowercased().utf8) }
    }
}

/// One column of a metadata table, in the order of the table's ids.
public struct MetadataColumn: Sendable {
    public enum Values: Sendable {
        /// NaN where a record has none.
        case numbers([Float])
        /// Any number of values per record.
        case categories(CategoryLists)
        /// Free text as UTF-8, without markup; empty where a record has none.
        case texts([String])
    }

    public var name: String
    public var values: Values

    public init(name: String, values: Values) {
        self.name = name
        self.values = values
    }

    public var count: Int {
        switch values {
        case .numbers(let numbers): numbers.count
        case .categories(let lists): lists.count
        case .texts(let texts): texts.count
        }
    }
}

/// Lists of category codes, one list per record.
public struct CategoryLists: Sendable {
    /// By code; compared as bytes.
    public private(set) var names: [String] = []
    public private(set) var codes: [Int32] = []
    /// Of `codes`; one more than there are records.
    public private(set) var offsets: [Int32] = [0]
    private var codeOfName: [[UInt8]: Int32] = [:]

    public init() {}

    public var count: Int { offsets.count - 1 }

    public func codes(of record: Int) -> ArraySlice<Int32> {
        codes[Int(offsets[record])..<Int(offsets[record + 1])]
    }

    public func code(of name: String) -> Int32? { codeOfName[Array(name.utf8)] }

    /// One more record. Equal names of one record count once.
    public mutating func append(_ values: some Sequence<some StringProtocol>) {
        let start = codes.count
        for value in values {
            let key = Array(value.utf8)
            let code = codeOfName[key] ?? Int32(names.count)
            if Int(code) == names.count {
                names.append(String(value))
                codeOfName[key] = code
            }
            if !codes[start...].contains(code) { codes.append(code) }
        }
        offsets.append(Int32(codes.count))
    }
}

/// One context column of the interactions: a category per event, as GetRecommendations takes it in `context`.
public struct ContextColumn: Sendable {
    public var name: String
    /// By code; compared as bytes.
    public var values: [String]
    /// Per event; -1 where it has none.
    public var codes: [Int32]

    public init(name: String, values: [String] = [], codes: [Int32] = []) {
        self.name = name
        self.values = values
        self.codes = codes
    }
}
