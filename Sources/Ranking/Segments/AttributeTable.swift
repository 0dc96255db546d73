/// The attributes of a model's items that segments can be asked for: categories and numbers, in model rows.
struct AttributeTable: Sendable {
    private enum Values: Sendable {
        case numbers(MappedArray<Float>)
        case categories(names: [String], codes: CodeLists)
    }

    private struct CodeLists: Sendable {
        let offsets: MappedArray<UInt32>
        let codes: MappedArray<Int32>

        func contains(_ code: Int32, row: Int) -> Bool {
            guard let start = offsets.at(row), let end = offsets.at(row + 1), start <= end, Int(end) <= codes.count else { return false }
            return codes.buffer[Int(start)..<Int(end)].contains(code)
        }
    }

    private let columns: [(name: String, values: Values)]
    private let itemCount: Int

    /// More would be a damaged file; the contract allows 100 columns of items.
    private static let columnLimit = 120
    private static let numberMark = "number "
    private static let categoryMark = "category "

    init(opening file: ModelFile, itemCount: Int) throws(ModelError) {
        self.itemCount = itemCount
        var columns: [(name: String, values: Values)] = []
        guard file.section("attributes") != nil else {
            self.columns = []
            return
        }
        for (index, entry) in try file.texts("attributes").prefix(Self.columnLimit).enumerated() {
            let prefix = "attribute\(index)"
            if entry.hasPrefix(Self.numberMark) {
                let numbers = try file.floats("\(prefix).numbers", count: itemCount)
                columns.append((String(entry.dropFirst(Self.numberMark.count)), .numbers(numbers)))
            } else if entry.hasPrefix(Self.categoryMark) {
                let lists = CodeLists(
                    offsets: try file.array("\(prefix).offsets", .uint32, count: itemCount + 1),
                    codes: try file.array("\(prefix).codes", .int32))
                columns.append(
                    (String(entry.dropFirst(Self.categoryMark.count)), .categories(names: try file.texts("\(prefix).names"), codes: lists)))
            } else {
                throw .damaged("attribute \(index) is of an unknown kind")
            }
        }
        self.columns = columns
    }

    /// Is there any column of categories or numbers?
    static func canBeAsked(_ table: MetadataTable?) -> Bool {
        (table?.columns ?? []).contains { column in if case .texts = column.values { false } else { true } }
    }

    /// What the table of `init` reads; texts are left out.
    static func sections(_ table: MetadataTable?, itemIDs: [Int32]) -> [SectionContent] {
        guard let table else { return [] }
        var recordOfRow = [Int](repeating: -1, count: itemIDs.count)
        itemIDs.withUnsafeBufferPointer { ids in
            for (record, id) in table.ids.enumerated() { if let row = firstRow(of: id, in: ids) { recordOfRow[row] = record } }
        }
        var entries: [String] = []
        var sections: [SectionContent] = []
        for column in table.columns where entries.count < columnLimit {
            let prefix = "attribute\(entries.count)"
            switch column.values {
            case .texts: continue
            case .numbers(let numbers):
                sections.append(SectionContent("\(prefix).numbers", recordOfRow.map { $0 < 0 ? Float.nan : numbers[$0] }))
                entries.append(numberMark + column.name)
            case .categories(let lists):
                sections += categorySections(prefix, lists, recordOfRow)
                entries.append(categoryMark + column.name)
            }
        }
        return entries.isEmpty ? [] : sections + [SectionContent("attributes", texts: entries)]
    }

    private static func categorySections(_ prefix: String, _ lists: CategoryLists, _ recordOfRow: [Int]) -> [SectionContent] {
        var offsets: [UInt32] = [0]
        var codes: [Int32] = []
        for record in recordOfRow {
            if record >= 0 { codes += lists.codes(of: record) }
            offsets.append(UInt32(codes.count))
        }
        // Texts are separated by U+0000, so a name with one could not be told apart.
        let names = lists.names.map { $0.utf8.contains(0) ? "\u{FFFD}" : $0 }
        return [
            SectionContent("\(prefix).offsets", offsets), SectionContent("\(prefix).codes", codes),
            SectionContent("\(prefix).names", texts: names),
        ]
    }

    /// Rows of the items for which all conditions hold, ascending; not empty.
    func rows(matching query: AttributeQuery) throws(SegmentRefusal) -> [Int32] {
        var rows = Array(0..<Int32(itemCount))
        for condition in query.conditions {
            let wanted = condition.column.lowercased()
            guard let column = columns.first(where: { $0.name.lowercased().utf8.elementsEqual(wanted.utf8) }) else {
                throw SegmentRefusal("The model knows no attribute ITEMS.\(condition.column).")
            }
            switch column.values {
            case .numbers(let numbers):
                guard let number = Float(condition.value) else {
                    throw SegmentRefusal("ITEMS.\(condition.column) is a number, and \"\(condition.value)\" is none.")
                }
                rows.removeAll { numbers.at(Int($0)) != number }
            case .categories(let names, let codes):
                let code = names.firstIndex { $0.utf8.elementsEqual(condition.value.utf8) }.map { Int32($0) }
                rows.removeAll { row in code.map { !codes.contains($0, row: Int(row)) } ?? true }
            }
        }
        guard !rows.isEmpty else { throw SegmentRefusal("No item that the model was trained on has these attributes.") }
        return rows
    }

    /// Every single category value, as a query.
    var singleValues: [AttributeQuery] {
        columns.flatMap { column -> [AttributeQuery] in
            guard case .categories(let names, _) = column.values else { return [] }
            return names.map { AttributeQuery(conditions: [.init(column: column.name, value: $0)]) }
        }
    }
}
