/// Items by attributes that must all hold: `ITEMS.GENRES = "Comedy" AND ITEMS.YEAR = 1994`.
public struct AttributeQuery: Sendable, Equatable {
    public struct Condition: Sendable, Equatable {
        /// Without the prefix `ITEMS.`; compared without regard to case.
        public var column: String
        /// Compared as bytes with each value of a category, as a number with a number.
        public var value: String
    }

    /// At least one.
    public var conditions: [Condition]

    public init(conditions: [Condition]) { self.conditions = conditions }

    static let conditionLimit = 10

    /// Reads the contract's `itemAttributes`: equalities joined by AND. Values stand in either quote; numbers may stand bare.
    public init(parsing text: String) throws(AttributeQueryError) {
        var scanner = Scanner(bytes: Array(text.utf8))
        var conditions: [Condition] = []
        repeat {
            let column = try scanner.column()
            try scanner.equals()
            conditions.append(Condition(column: column, value: try scanner.value()))
            guard conditions.count <= Self.conditionLimit else {
                throw AttributeQueryError("it has more than \(Self.conditionLimit) conditions")
            }
        } while try scanner.continues()
        self.conditions = conditions
    }

    /// One pass over the bytes of a query.
    private struct Scanner {
        let bytes: [UInt8]
        var at = 0

        private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

        private mutating func skipBlanks() {
            while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) { at += 1 }
        }

        private mutating func word(_ admits: (UInt8) -> Bool) -> String {
            let start = at
            while let byte = next, admits(byte) { at += 1 }
            return String(decoding: bytes[start..<at], as: UTF8.self)
        }

        private static func isName(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
        }

        mutating func column() throws(AttributeQueryError) -> String {
            skipBlanks()
            let dataset = word(Self.isName)
            guard dataset.uppercased() == "ITEMS", next == UInt8(ascii: ".") else {
                throw AttributeQueryError("a condition begins with ITEMS. and the name of a column")
            }
            at += 1
            let name = word(Self.isName)
            guard !name.isEmpty else { throw AttributeQueryError("after ITEMS. the name of a column is missing") }
            return name
        }

        mutating func equals() throws(AttributeQueryError) {
            skipBlanks()
            guard next == UInt8(ascii: "=") else { throw AttributeQueryError("only = compares a column with a value") }
            at += 1
        }

        mutating func value() throws(AttributeQueryError) -> String {
            skipBlanks()
            guard let quote = next, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
                let number = word { Self.isName($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
                guard Double(number) != nil else { throw AttributeQueryError("a value is a quoted text or a number") }
                return number
            }
            at += 1
            let text = word { $0 != quote }
            guard next == quote else { throw AttributeQueryError("a quote is not closed") }
            at += 1
            return text
        }

        /// True after AND, false at the end.
        mutating func continues() throws(AttributeQueryError) -> Bool {
            skipBlanks()
            if next == nil { return false }
            guard word(Self.isName).uppercased() == "AND" else { throw AttributeQueryError("conditions are joined by AND alone") }
            return true
        }
    }
}

/// Why a text is not a query over attributes.
public struct AttributeQueryError: Error, Sendable, Equatable {
    /// The end of a sentence.
    public var reason: String

    init(_ reason: String) { self.reason = reason }
}
