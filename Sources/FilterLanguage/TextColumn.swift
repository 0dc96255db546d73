/// A text column: values coded by a dictionary, rows as runs of codes, and for each value the rows that have it.
///
/// The rows of a value are a list or a bitmap, whichever is smaller, so the index never takes more than 4 bytes for each value in each row,
/// and a value that many rows share is applied 64 rows at a time.
struct TextColumn: Sendable {
    private let codeOfValue: [ByteString: Int32]
    private let values: [ByteString]
    private let offsets: [Int32]
    private let codes: [Int32]

    /// By code: where its rows are in `lists`, or `-1 - p` for the bitmap that starts at word p of `bitmaps`.
    private let starts: [Int32]
    /// By code: number of rows.
    private let counts: [Int32]
    private let lists: [Int32]
    private let bitmaps: [UInt64]

    init(codeOfValue: [ByteString: Int32], values: [ByteString], offsets: [Int32], codes: [Int32]) {
        self.codeOfValue = codeOfValue
        self.values = values
        self.offsets = offsets
        self.codes = codes
        let rowCount = offsets.count - 1
        let wordCount = (rowCount + 63) / 64
        var counts = [Int32](repeating: 0, count: values.count)
        for code in codes { counts[Int(code)] += 1 }
        var starts: [Int32] = []
        var listSize: Int32 = 0
        var bitmapSize: Int32 = 0
        for count in counts {
            if Int(count) > 2 * wordCount {
                starts.append(-1 - bitmapSize)
                bitmapSize += Int32(wordCount)
            } else {
                starts.append(listSize)
                listSize += count
            }
        }
        var lists = [Int32](repeating: 0, count: Int(listSize))
        var bitmaps = [UInt64](repeating: 0, count: Int(bitmapSize))
        var ends = starts
        for row in 0..<rowCount {
            for position in offsets[row]..<offsets[row + 1] {
                let code = Int(codes[Int(position)])
                if starts[code] < 0 {
                    bitmaps[Int(-1 - starts[code]) + row >> 6] |= 1 << UInt64(row & 63)
                } else {
                    lists[Int(ends[code])] = Int32(row)
                    ends[code] += 1
                }
            }
        }
        self.counts = counts
        self.starts = starts
        self.lists = lists
        self.bitmaps = bitmaps
    }

    func values(row: Int) -> [ByteString] {
        codes[Int(offsets[row])..<Int(offsets[row + 1])].map { values[Int($0)] }
    }

    func value(row: Int) -> ColumnValue {
        let texts = values(row: row)
        return texts.isEmpty ? .null : .text(texts.map(\.text).joined(separator: "|"))
    }

    func rows(withAnyOf texts: [ByteString], rowCount: Int) -> RowBitmap {
        var rows = RowBitmap(count: rowCount)
        rows.words.withUnsafeMutableBufferPointer { words in
            for text in texts {
                guard let code = codeOfValue[text] else { continue }
                addRows(ofCode: Int(code), to: words)
            }
        }
        return rows
    }

    private func addRows(ofCode code: Int, to words: UnsafeMutableBufferPointer<UInt64>) {
        let start = Int(starts[code])
        if start < 0 {
            bitmaps.withUnsafeBufferPointer { bitmaps in
                for word in 0..<words.count { words[word] |= bitmaps[-1 - start + word] }
            }
        } else {
            for row in lists[start..<(start + Int(counts[code]))] { words[Int(row) >> 6] |= 1 << UInt64(row & 63) }
        }
    }
}
