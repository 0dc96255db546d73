/// A set of rows: bit r of the words (bit r mod 64 of word r / 64) says whether row r is in it. Bits past `count` are zero.
public struct RowBitmap: Sendable, Equatable {
    public internal(set) var words: [UInt64]
    /// Number of rows that the bitmap speaks of, in it or not.
    public let count: Int

    public init(count: Int, filled: Bool = false) {
        self.count = count
        words = [UInt64](repeating: filled ? ~0 : 0, count: (count + 63) / 64)
        if filled { clearTail() }
    }

    /// The set of the given rows; a row outside 0 ..< count is ignored.
    public init(count: Int, rows: some Sequence<Int32>) {
        self.init(count: count)
        for row in rows where row >= 0 && Int(row) < count { self[Int(row)] = true }
    }

    public subscript(row: Int) -> Bool {
        get { words[row >> 6] >> UInt64(row & 63) & 1 == 1 }
        set {
            let bit: UInt64 = 1 << UInt64(row & 63)
            if newValue { words[row >> 6] |= bit } else { words[row >> 6] &= ~bit }
        }
    }

    public mutating func or(_ other: RowBitmap) { combine(other) { $0 | $1 } }
    public mutating func and(_ other: RowBitmap) { combine(other) { $0 & $1 } }
    public mutating func andNot(_ other: RowBitmap) { combine(other) { $0 & ~$1 } }

    public mutating func invert() {
        for index in words.indices { words[index] = ~words[index] }
        clearTail()
    }

    /// Number of rows in the set.
    public var popCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Calls `body` with each row of the set, ascending.
    public func forEach(_ body: (Int) -> Void) {
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                body(index << 6 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
    }

    /// The same set, speaking of more rows; the new ones are not in it.
    func extended(to count: Int) -> RowBitmap {
        var longer = RowBitmap(count: count)
        longer.words.replaceSubrange(0..<words.count, with: words)
        return longer
    }

    @inline(__always)
    private mutating func combine(_ other: RowBitmap, _ operation: (UInt64, UInt64) -> UInt64) {
        precondition(count == other.count, "bitmaps of different tables")
        words.withUnsafeMutableBufferPointer { mine in
            other.words.withUnsafeBufferPointer { theirs in
                for index in 0..<mine.count { mine[index] = operation(mine[index], theirs[index]) }
            }
        }
    }

    private mutating func clearTail() {
        if count & 63 != 0 { words[words.count - 1] &= (1 << UInt64(count & 63)) - 1 }
    }
}
