/// One word of a filter's text, with the place where it starts.
struct FilterToken {
    enum Kind {
        /// Keyword, target, dataset or field name.
        case word(String)
        /// A quoted value, without its quotes and with its escapes undone.
        case string(String)
        /// A number and how it was written: a string column compares the latter.
        case number(Double, written: String)
        /// `$name`, without the sign.
        case placeholder(String)
        case symbol(Symbol)
        case end
    }

    enum Symbol: String {
        case open = "("
        case close = ")"
        case comma = ","
        case dot = "."
        case star = "*"
        case bar = "|"
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
    }

    let kind: Kind
    let offset: Int

    /// How an error message names this token.
    var shown: String {
        switch kind {
        case .word(let word): "\"\(word)\""
        case .string: "the quoted value"
        case .number(_, let written): written
        case .placeholder(let name): "$\(name)"
        case .symbol(let symbol): "\"\(symbol.rawValue)\""
        case .end: "the end of the filter"
        }
    }
}
