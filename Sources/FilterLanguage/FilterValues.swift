/// The `filterValues` of a request: for each parameter its values.
public struct FilterValues: Sendable {
    private let values: [String: [String]]

    public static let none = FilterValues(values: [:])
    public static let maximumEntries = 25
    /// Unicode scalars in one entry.
    public static let maximumLength = 1000

    private init(values: [String: [String]]) {
        self.values = values
    }

    /// Parses the entries by the contract's quoting: values separated by commas, each in double quotes (commas inside them belong to the
    /// value, `\"` is a quote) or bare. An entry without any value counts as missing.
    public init(parsing entries: [String: String]) throws(FilterError) {
        guard entries.count <= Self.maximumEntries else {
            throw FilterError(offset: 0, message: "filterValues has at most \(Self.maximumEntries) entries.")
        }
        var values: [String: [String]] = [:]
        for (name, text) in entries {
            let scalars = Array(text.unicodeScalars.prefix(Self.maximumLength + 1))
            guard scalars.count <= Self.maximumLength else {
                throw FilterError(
                    offset: Self.maximumLength,
                    message: "The value of the parameter \(name) is longer than \(Self.maximumLength) characters.")
            }
            var parser = ValueListParser(name: name, scalars: scalars)
            let parsed = try parser.parse()
            if !parsed.isEmpty { values[name] = parsed }
        }
        self.values = values
    }

    /// The values of a parameter, unquoted; nil when the request has none.
    public subscript(name: String) -> [String]? { values[name] }
}

private struct ValueListParser {
    let name: String
    let scalars: [Unicode.Scalar]
    var position = 0

    mutating func parse() throws(FilterError) -> [String] {
        skipSpace()
        guard position < scalars.count else { return [] }
        var values: [String] = []
        while true {
            skipSpace()
            let start = position
            let value = position < scalars.count && scalars[position] == "\"" ? try quoted() : bare()
            guard let value else {
                throw FilterError(offset: start, message: "The parameter \(name) has an empty place between its commas.")
            }
            values.append(value)
            guard position < scalars.count else { return values }
            position += 1
        }
    }

    private mutating func skipSpace() {
        while position < scalars.count, scalars[position].properties.isWhitespace { position += 1 }
    }

    private mutating func quoted() throws(FilterError) -> String? {
        let start = position
        position += 1
        var value = String.UnicodeScalarView()
        while position < scalars.count, scalars[position] != "\"" {
            if scalars[position] == "\\", position + 1 < scalars.count, scalars[position + 1] == "\"" || scalars[position + 1] == "\\" {
                position += 1
            }
            value.append(scalars[position])
            position += 1
        }
        guard position < scalars.count else {
            throw FilterError(offset: start, message: "The parameter \(name) has a value whose double quote is never closed.")
        }
        position += 1
        skipSpace()
        guard position == scalars.count || scalars[position] == "," else {
            throw FilterError(offset: position, message: "The parameter \(name) needs a comma between its quoted values.")
        }
        return String(value)
    }

    /// Up to the next comma, without the spaces around; nil when nothing is there.
    private mutating func bare() -> String? {
        let start = position
        while position < scalars.count, scalars[position] != "," { position += 1 }
        var end = position
        while end > start, scalars[end - 1].properties.isWhitespace { end -= 1 }
        guard end > start else { return nil }
        var value = String.UnicodeScalarView()
        value.append(contentsOf: scalars[start..<end])
        return String(value)
    }
}
