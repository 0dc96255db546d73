import Foundation

/// What metadata says of items, as sparse rows of features.
///
/// A category and a word or pair of words is a feature with weight ln(records / records that have it); a number is spread over
/// the two nearest of at most 16 quantiles, so that near numbers are alike and outliers do no harm. Each column of metadata has
/// length 1 in a row where it says anything, whatever number of words it has; all columns of text are one. Features of a single record, which link it to no
/// other, and features of all records are left out.
struct FeatureRows: Sendable {
    /// Items x features.
    private(set) var rows = SparseRows()
    private(set) var featureCount = 0
    /// How many words and pairs a text keeps, where some text has more.
    private(set) var wordsLeft: Int?

    /// Slots that words of one column are hashed to.
    private static let slotCount = 1 << 21
    private static let knotCount = 16
    /// Words and pairs of one text, while the sum over all records stays within bounds.
    private static let wordLimit = 256
    static let wordTotal = 6_000_000

    /// - Parameter itemIDs: ascending; their positions are the rows.
    /// - Parameter wordTotal: words and pairs of all texts that are kept at most, the rarest of each record; 16 in any case.
    init(_ table: MetadataTable, itemIDs: [Int32], wordTotal: Int = FeatureRows.wordTotal) {
        var lists: [[Entry]] = Array(repeating: [], count: itemIDs.count)
        let rowOfRecord = itemIDs.withUnsafeBufferPointer { ids in table.ids.map { firstRow(of: $0, in: ids) } }
        for column in table.columns where column.count == table.count {
            switch column.values {
            case .numbers(let numbers): spread(numbers, rowOfRecord, into: &lists)
            case .categories(let categories):
                weigh(slotCount: categories.names.count, rowOfRecord, into: &lists) { record, slots in
                    slots.append(contentsOf: categories.codes(of: record))
                }
            case .texts: continue
            }
        }
        addTexts(table, wordTotal: wordTotal, rowOfRecord, into: &lists)
        for list in lists {
            for entry in list {
                rows.columns.append(entry.feature)
                rows.values.append(entry.value)
            }
            rows.offsets.append(rows.columns.count)
        }
    }

    /// All texts of a record count as one, so that a word weighs the same in a short title and in a long description.
    private mutating func addTexts(_ table: MetadataTable, wordTotal: Int, _ rowOfRecord: [Int?], into lists: inout [[Entry]]) {
        let columns = table.columns.compactMap { column -> [String]? in
            guard column.count == table.count, case .texts(let texts) = column.values else { return nil }
            return texts
        }
        guard !columns.isEmpty else { return }
        var tokens = TextTokens()
        let limit = max(16, min(Self.wordLimit, wordTotal / max(1, table.count)))
        weigh(slotCount: Self.slotCount, limit: limit, rowOfRecord, into: &lists) { record, slots in
            for texts in columns {
                for hash in tokens.hashes(of: texts[record], limit: min(Self.wordLimit, 3 * limit)) {
                    slots.append(Int32(truncatingIfNeeded: hash & UInt64(Self.slotCount - 1)))
                }
            }
        }
    }

    private struct Entry {
        var feature: Int32
        var value: Float
    }

    /// Slots of a column become features with their weights.
    private mutating func weigh(
        slotCount: Int, limit: Int = .max, _ rowOfRecord: [Int?], into lists: inout [[Entry]], slots: (Int, inout [Int32]) -> Void
    ) {
        var offsets = [0]
        var all: [Int32] = []
        var records = [Int32](repeating: 0, count: slotCount)
        var lastRecord = [Int32](repeating: -1, count: slotCount)
        var found: [Int32] = []
        for record in rowOfRecord.indices {
            found.removeAll(keepingCapacity: true)
            slots(record, &found)
            for slot in found where lastRecord[Int(slot)] != Int32(record) {
                lastRecord[Int(slot)] = Int32(record)
                records[Int(slot)] += 1
                all.append(slot)
            }
            offsets.append(all.count)
        }
        let total = Double(rowOfRecord.count)
        var features = [Int32](repeating: -1, count: slotCount)
        for slot in 0..<slotCount where records[slot] >= 2 && Double(records[slot]) < total {
            features[slot] = Int32(featureCount)
            featureCount += 1
        }
        for (record, row) in rowOfRecord.enumerated() {
            guard let row else { continue }
            var entries: [Entry] = []
            for slot in all[offsets[record]..<offsets[record + 1]] where features[Int(slot)] >= 0 {
                entries.append(Entry(feature: features[Int(slot)], value: Float(log(total / Double(records[Int(slot)])))))
            }
            if entries.count > limit {
                wordsLeft = limit
                entries = Array(entries.sorted { ($1.value, $0.feature) < ($0.value, $1.feature) }.prefix(limit))
            }
            let length = entries.reduce(Float(0)) { $0 + $1.value * $1.value }.squareRoot()
            if length > 0 { lists[row] += entries.map { Entry(feature: $0.feature, value: $0.value / length) } }
        }
    }

    /// Linear interpolation between quantiles.
    private mutating func spread(_ numbers: [Float], _ rowOfRecord: [Int?], into lists: inout [[Entry]]) {
        let knots = Self.knots(numbers)
        guard knots.count >= 2 else { return }
        for (number, row) in zip(numbers, rowOfRecord) where number.isFinite {
            guard let row else { continue }
            let above = knots.firstIndex { $0 >= number } ?? knots.count - 1
            let below = max(0, above - 1)
            let share = above == below ? 1 : (number - knots[below]) / (knots[above] - knots[below])
            for (knot, value) in [(below, 1 - share), (above, share)] where value > 0 && value <= 1 {
                lists[row].append(Entry(feature: Int32(featureCount + knot), value: value))
            }
        }
        featureCount += knots.count
    }

    /// Ascending, each once.
    private static func knots(_ numbers: [Float]) -> [Float] {
        let sorted = numbers.filter(\.isFinite).sorted()
        guard let last = sorted.last else { return [] }
        var knots: [Float] = []
        for index in 0..<knotCount {
            let quantile = index == knotCount - 1 ? last : sorted[index * sorted.count / (knotCount - 1) % max(1, sorted.count)]
            if knots.last.map({ quantile > $0 }) ?? true { knots.append(quantile) }
        }
        return knots
    }
}
