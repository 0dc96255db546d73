extension SQL {
    /// What may stand in `\( )`: a value to bind, another `SQL`, or a quoted name. Never text.
    public struct StringInterpolation: StringInterpolationProtocol {
        var sql = SQL()

        public init(literalCapacity: Int, interpolationCount: Int) {}

        public mutating func appendLiteral(_ literal: StaticString) {
            sql.append(literal)
        }

        public mutating func appendInterpolation<Value: SQLBindable>(_ value: Value) {
            appendInterpolation(Optional(value))
        }

        public mutating func appendInterpolation<Value: SQLBindable>(_ value: Value?) {
            sql.bind(Value.postgresType.oid) { out in
                guard let value else { return false }
                value.appendBinary(to: &out)
                return true
            }
        }

        /// Binds a one-dimensional Postgres array.
        public mutating func appendInterpolation<Element: SQLBindable>(_ values: [Element]) {
            appendInterpolation(Optional(values))
        }

        public mutating func appendInterpolation<Element: SQLBindable>(_ values: [Element]?) {
            sql.bind(Element.postgresType.arrayOid) { out in
                guard let values else { return false }
                appendArray(values.lazy.map { Optional($0) }, count: values.count, hasNull: false, to: &out)
                return true
            }
        }

        /// Binds a one-dimensional Postgres array in which nil is NULL.
        public mutating func appendInterpolation<Element: SQLBindable>(_ values: [Element?]) {
            sql.bind(Element.postgresType.arrayOid) { out in
                appendArray(values, count: values.count, hasNull: values.contains { $0 == nil }, to: &out)
                return true
            }
        }

        /// Binds bytes as bytea.
        public mutating func appendInterpolation(_ bytes: [UInt8]) {
            appendInterpolation(Optional(bytes))
        }

        public mutating func appendInterpolation(_ bytes: [UInt8]?) {
            bind(bytes, as: .bytea)
        }

        /// Binds byte strings as bytea[].
        public mutating func appendInterpolation(_ values: [[UInt8]]) {
            bind(values, as: .bytea)
        }

        /// Binds UTF-8 bytes as text, for external ids that are never made into a `String`.
        public mutating func appendInterpolation(text bytes: [UInt8]?) {
            bind(bytes, as: .text)
        }

        /// Binds UTF-8 byte strings as text[].
        public mutating func appendInterpolation(texts values: [[UInt8]]) {
            bind(values, as: .text)
        }

        /// Binds a JSON text; the server infers json or jsonb from the place.
        public mutating func appendInterpolation(json bytes: [UInt8]?) {
            guard let bytes else { return sql.bind(0, isText: true) { _ in false } }
            // A text parameter ends at its first zero byte; sent as binary text instead, the server refuses such a value.
            guard !bytes.contains(0) else { return bind(bytes, as: .text) }
            sql.bind(0, isText: true) { out in
                out.append(contentsOf: bytes)
                return true
            }
        }

        public mutating func appendInterpolation(json text: String?) {
            appendInterpolation(json: text.map { Array($0.utf8) })
        }

        /// Binds a decimal number written as text, such as `12.50`, as an exact numeric.
        public mutating func appendInterpolation(numeric text: String?) {
            guard let text, !text.utf8.contains(0) else { return sql.bind(PostgresType.numeric.oid, isText: true) { _ in false } }
            sql.bind(PostgresType.numeric.oid, isText: true) { out in
                out.append(contentsOf: text.utf8)
                return true
            }
        }

        /// Binds a calendar day, counted from 1970-01-01, as date.
        public mutating func appendInterpolation(days: Int32?) {
            sql.bind(PostgresType.date.oid) { out in
                guard let days else { return false }
                out.appendBigEndian(days &- PGTimestamp.daysFrom1970To2000)
                return true
            }
        }

        /// Splices another statement part; its parameters are renumbered.
        public mutating func appendInterpolation(_ part: SQL) {
            sql.append(part)
        }

        /// Splices another statement part, also one chosen in place: `\(part: descending ? "DESC" : "ASC")`.
        public mutating func appendInterpolation(part: SQL) {
            sql.append(part)
        }

        /// A name in double quotes, for tables made at run time (partitions).
        public mutating func appendInterpolation(identifier name: String) {
            sql.append(quoted: name.utf8, by: UInt8(ascii: "\""))
        }

        /// A number as text, for DDL that takes no parameters.
        public mutating func appendInterpolation(literal number: some FixedWidthInteger) {
            sql.appendLiteral(number: number.description)
        }

        /// A string constant in quotes, for DDL that takes no parameters.
        public mutating func appendInterpolation(literal text: String) {
            sql.appendLiteral(text: text.utf8)
        }

        private mutating func bind(_ bytes: [UInt8]?, as type: PostgresType) {
            sql.bind(type.oid) { out in
                guard let bytes else { return false }
                out.append(contentsOf: bytes)
                return true
            }
        }

        private mutating func bind(_ values: [[UInt8]], as type: PostgresType) {
            sql.bind(type.arrayOid) { out in
                out.appendArrayHeader(element: type.oid, count: values.count, hasNull: false)
                for value in values {
                    out.appendBigEndian(Int32(value.count))
                    out.append(contentsOf: value)
                }
                return true
            }
        }
    }
}

extension SQL {
    mutating func appendLiteral(number: String) {
        append(SQL(verbatim: number.utf8))
    }

    /// A quoted constant that reads the same whatever `standard_conforming_strings` says.
    mutating func appendLiteral(text: some Collection<UInt8>) {
        guard text.contains(UInt8(ascii: "\\")) else { return append(quoted: text, by: UInt8(ascii: "'")) }
        append(" E" as StaticString)
        append(quoted: text.flatMap { $0 == UInt8(ascii: "\\") ? [$0, $0] : [$0] }, by: UInt8(ascii: "'"))
    }
}

/// Array header, then each element as length and bytes.
func appendArray<Element: SQLBindable>(
    _ values: some Sequence<Element?>, count: Int, hasNull: Bool, to out: inout [UInt8]
) {
    out.appendArrayHeader(element: Element.postgresType.oid, count: count, hasNull: hasNull)
    for value in values {
        let lengthAt = out.count
        out.appendBigEndian(Int32(-1))
        guard let value else { continue }
        value.appendBinary(to: &out)
        out.setBigEndian(Int32(out.count - lengthAt - 4), at: lengthAt)
    }
}
