/// Splits a filter's text into tokens. Works on Unicode scalars, as the contract counts them.
struct FilterLexer {
    private let scalars: [Unicode.Scalar]
    private var position = 0

    init(_ scalars: [Unicode.Scalar]) {
        self.scalars = scalars
    }

    /// All tokens, with `.end` last.
    static func tokens(of scalars: [Unicode.Scalar]) throws(FilterError) -> [FilterToken] {
        var lexer = FilterLexer(scalars)
        var tokens: [FilterToken] = []
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if case .end = token.kind { return tokens }
        }
    }

    private mutating func next() throws(FilterError) -> FilterToken {
        while let scalar = current, scalar.properties.isWhitespace { position += 1 }
        let start = position
        guard let scalar = current else { return FilterToken(kind: .end, offset: start) }
        switch scalar {
        case "\"", "'": return FilterToken(kind: .string(try string(closedBy: scalar)), offset: start)
        case "$": return FilterToken(kind: .placeholder(try placeholderName()), offset: start)
        case "0"..."9", "-": return FilterToken(kind: try number(), offset: start)
        case _ where Self.isNameStart(scalar): return FilterToken(kind: .word(takeName()), offset: start)
        default: return FilterToken(kind: .symbol(try symbol()), offset: start)
        }
    }

    private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private static func isNameStart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "_": true
        default: false
        }
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private mutating func takeName() -> String {
        var name = String.UnicodeScalarView()
        while let scalar = current, Self.isNameStart(scalar) || Self.isDigit(scalar) {
            name.append(scalar)
            position += 1
        }
        return String(name)
    }

    private mutating func placeholderName() throws(FilterError) -> String {
        let start = position
        position += 1
        let name = takeName()
        guard (1...50).contains(name.utf8.count) else {
            throw FilterError(
                offset: start,
                message: "A parameter is $ followed by a name of 1 to 50 letters, digits or underscores, as in $GENRE.")
        }
        return name
    }

    private mutating func string(closedBy quote: Unicode.Scalar) throws(FilterError) -> String {
        let start = position
        position += 1
        var value = String.UnicodeScalarView()
        while let scalar = current {
            position += 1
            if scalar == quote { return String(value) }
            if scalar == "\\", let escaped = current, escaped == "\"" || escaped == "'" || escaped == "\\" {
                value.append(escaped)
                position += 1
            } else {
                value.append(scalar)
            }
        }
        throw FilterError(offset: start, message: "A quoted value starts here and is never closed.")
    }

    private mutating func number() throws(FilterError) -> FilterToken.Kind {
        let start = position
        if current == "-" { position += 1 }
        let whole = takeDigits()
        var isWellFormed = whole > 0
        if current == ".", isWellFormed {
            position += 1
            isWellFormed = takeDigits() > 0
        }
        if let scalar = current, Self.isNameStart(scalar) { isWellFormed = false }
        var written = String.UnicodeScalarView()
        written.append(contentsOf: scalars[start..<position])
        guard isWellFormed, let value = Double(String(written)), value.isFinite else {
            throw FilterError(
                offset: start, message: "This is not a number: write digits with at most one point, as in 19.5, or put text in quotes.")
        }
        return .number(value, written: String(written))
    }

    private mutating func takeDigits() -> Int {
        let start = position
        while let scalar = current, Self.isDigit(scalar) { position += 1 }
        return position - start
    }

    private mutating func symbol() throws(FilterError) -> FilterToken.Symbol {
        if position + 1 < scalars.count {
            let pair = String(String.UnicodeScalarView(scalars[position...(position + 1)]))
            if let symbol = FilterToken.Symbol(rawValue: pair) {
                position += 2
                return symbol
            }
        }
        if let symbol = FilterToken.Symbol(rawValue: String(Character(scalars[position]))) {
            position += 1
            return symbol
        }
        throw FilterError(offset: position, message: Self.complaint(about: scalars[position]))
    }

    private static func complaint(about scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\u{201C}", "\u{201D}", "\u{2018}", "\u{2019}", "\u{201E}": "Write values in straight quotes, \" or '."
        case "!": "Write \"not equal\" as !=."
        default: "The character \"\(Character(scalar))\" has no meaning here; text values must be in quotes."
        }
    }
}
