/// Recursive descent over the tokens of one filter. There are no parentheses for grouping, so the depth is fixed and the work linear.
struct FilterParser {
    private let tokens: [FilterToken]
    private var position = 0

    /// - Parameter tokens: never empty, `.end` last.
    init(tokens: [FilterToken]) {
        self.tokens = tokens
    }

    mutating func parse() throws(FilterError) -> [FilterClause] {
        var clauses = [try clause()]
        while takes(.bar) {
            let start = token.offset
            let next = try clause()
            guard next.target == clauses[0].target else {
                throw FilterError(
                    offset: start,
                    message: "All expressions of one filter select the same thing: "
                        + "this one selects \(next.target.rawValue), the first \(clauses[0].target.rawValue).")
            }
            clauses.append(next)
        }
        guard case .end = token.kind else { throw unexpected(afterClause: clauses[clauses.count - 1]) }
        return clauses
    }

    private var token: FilterToken { tokens[position] }

    private mutating func advance() {
        if position < tokens.count - 1 { position += 1 }
    }

    private func isKeyword(_ keyword: String) -> Bool {
        guard case .word(let word) = token.kind else { return false }
        return word.uppercased() == keyword
    }

    private mutating func takes(keyword: String) -> Bool {
        guard isKeyword(keyword) else { return false }
        advance()
        return true
    }

    private mutating func takes(_ symbol: FilterToken.Symbol) -> Bool {
        guard case .symbol(symbol) = token.kind else { return false }
        advance()
        return true
    }

    private func unexpected(_ wanted: String) -> FilterError {
        FilterError(offset: token.offset, message: "Found \(token.shown) where \(wanted).")
    }

    private func unexpected(afterClause clause: FilterClause) -> FilterError {
        if isKeyword("IF") {
            return FilterError(offset: token.offset, message: "An expression has at most one IF, at its end. Join further tests with AND.")
        }
        if isKeyword("OR"), !clause.userTests.isEmpty {
            return FilterError(offset: token.offset, message: "The tests of an IF can only be joined with AND.")
        }
        return unexpected("AND, OR, IF, | or the end of the filter was expected")
    }
}

// MARK: - Expressions

extension FilterParser {
    private mutating func clause() throws(FilterError) -> FilterClause {
        let effect: FilterClause.Effect
        if takes(keyword: "INCLUDE") {
            effect = .include
        } else if takes(keyword: "EXCLUDE") {
            effect = .exclude
        } else {
            throw unexpected("an expression must start with INCLUDE or EXCLUDE")
        }
        let target = try self.target()
        guard takes(keyword: "WHERE") else { throw unexpected("WHERE was expected") }
        let first = try condition(of: target, dataset: nil)
        var clause = FilterClause(effect: effect, target: target, dataset: first.field.dataset, groups: [[first]], userTests: [])
        while true {
            if takes(keyword: "AND") {
                clause.groups[clause.groups.count - 1].append(try condition(of: target, dataset: clause.dataset))
            } else if takes(keyword: "OR") {
                clause.groups.append([try condition(of: target, dataset: clause.dataset)])
            } else {
                break
            }
        }
        if takes(keyword: "IF") {
            repeat { clause.userTests.append(try userTest()) } while takes(keyword: "AND")
        }
        return clause
    }

    private mutating func target() throws(FilterError) -> FilterTarget {
        guard case .word(let word) = token.kind,
            let target = FilterTarget.allCases.first(where: { $0.rawValue.uppercased() == word.uppercased() })
        else { throw unexpected("ItemID, UserID or ActionID was expected") }
        advance()
        return target
    }

    private mutating func condition(of target: FilterTarget, dataset: FilterDataset?) throws(FilterError) -> FilterCondition {
        let start = token.offset
        guard case .word(let word) = token.kind else { throw unexpected("a field such as Items.CATEGORY was expected") }
        if word.uppercased() == "CURRENTUSER" {
            throw FilterError(offset: start, message: "CurrentUser can only be used in an IF at the end of an expression.")
        }
        guard let named = Self.dataset(named: word) else {
            throw unexpected("Interactions, Items, Users, Actions or Action_Interactions was expected")
        }
        try Self.check(named, suits: target, at: start)
        guard dataset == nil || dataset == named else {
            throw FilterError(
                offset: start,
                message: "All conditions of one expression use the same dataset. Write the ones on \(named.rawValue) "
                    + "as an expression of their own and join the two with |.")
        }
        advance()
        let field = FilterField(dataset: named, name: try fieldName(after: named.rawValue))
        var condition = try relation(of: field, offset: start)
        if named.isInteractions {
            try Self.checkEventCondition(&condition)
        } else if let star = condition.operands.first(where: { if case .any = $0 { true } else { false } }) {
            throw FilterError(offset: star.offset, message: "* stands for any event type and cannot be used with \(named.rawValue).")
        }
        return condition
    }

    private mutating func userTest() throws(FilterError) -> FilterCondition {
        let start = token.offset
        guard takes(keyword: "CURRENTUSER") else { throw unexpected("a field of CurrentUser was expected after IF") }
        let field = FilterField(dataset: .users, name: try fieldName(after: "CurrentUser"))
        let test = try relation(of: field, offset: start)
        if let star = test.operands.first(where: { if case .any = $0 { true } else { false } }) {
            throw FilterError(offset: star.offset, message: "* stands for any event type and cannot be used with CurrentUser.")
        }
        return test
    }

    private mutating func fieldName(after owner: String) throws(FilterError) -> String {
        guard takes(.dot) else { throw unexpected("a point and a field name were expected after \(owner)") }
        guard case .word(let name) = token.kind else { throw unexpected("a field name was expected after \(owner).") }
        advance()
        return name
    }

    private static func dataset(named word: String) -> FilterDataset? {
        let upper = word.uppercased()
        if upper == "ACTION" { return .actions }
        return FilterDataset.allCases.first { $0.rawValue.uppercased() == upper }
    }

    private static func check(_ dataset: FilterDataset, suits target: FilterTarget, at offset: Int) throws(FilterError) {
        let suitable: [FilterDataset] =
            switch target {
            case .item: [.items, .interactions]
            case .user: [.users, .interactions]
            case .action: [.actions, .actionInteractions]
            }
        guard !suitable.contains(dataset) else { return }
        let hint = target == .item && dataset == .users ? " To look at the user, end the expression with IF CurrentUser." : ""
        throw FilterError(
            offset: offset,
            message: "A filter for \(target.rawValue) can use \(suitable[0].rawValue) and \(suitable[1].rawValue), "
                + "not \(dataset.rawValue).\(hint)")
    }

    private static func checkEventCondition(_ condition: inout FilterCondition) throws(FilterError) {
        guard condition.field.name == "EVENT_TYPE" else {
            throw FilterError(
                offset: condition.offset, message: "\(condition.field.dataset.rawValue) can only be filtered by EVENT_TYPE.")
        }
        guard condition.relation == .isIn || condition.relation == .notIn else {
            throw FilterError(offset: condition.offset, message: "EVENT_TYPE takes IN or NOT IN, not \(condition.relation.rawValue).")
        }
        if let current = condition.operands.first(where: \.isCurrentItem) {
            throw FilterError(offset: current.offset, message: "EVENT_TYPE cannot be compared with CurrentItem.")
        }
    }
}

// MARK: - Relations and operands

extension FilterParser {
    private mutating func relation(of field: FilterField, offset: Int) throws(FilterError) -> FilterCondition {
        if takes(keyword: "NOT") {
            guard takes(keyword: "IN") else { throw unexpected("IN was expected after NOT") }
            let members = try members()
            for case .placeholder(let name, let offset) in members {
                throw FilterError(
                    offset: offset, message: "The parameter $\(name) cannot be used with NOT IN. Use IN and turn INCLUDE and EXCLUDE round."
                )
            }
            return FilterCondition(field: field, relation: .notIn, operands: members, offset: offset)
        }
        if takes(keyword: "IN") {
            return FilterCondition(field: field, relation: .isIn, operands: try members(), offset: offset)
        }
        guard case .symbol(let symbol) = token.kind, let relation = FilterCondition.Relation(rawValue: symbol.rawValue) else {
            throw unexpected("IN, NOT IN or one of = != < <= > >= was expected")
        }
        advance()
        let isParenthesised = takes(.open)
        let operand = try operand()
        if case .any(let offset) = operand {
            throw FilterError(offset: offset, message: "* can only be used in the list after IN or NOT IN.")
        }
        if isParenthesised, !takes(.close) { throw unexpected("a closing parenthesis was expected") }
        return FilterCondition(field: field, relation: relation, operands: [operand], offset: offset)
    }

    private mutating func members() throws(FilterError) -> [FilterOperand] {
        guard takes(.open) else {
            if isKeyword("CURRENTITEM") { return [try operand()] }
            throw unexpected("the values in parentheses were expected after IN")
        }
        var members = [try operand()]
        while takes(.comma) { members.append(try operand()) }
        if members.count > 1, let current = members.first(where: \.isCurrentItem) {
            throw FilterError(offset: current.offset, message: "CurrentItem must stand alone after IN, not in a list.")
        }
        guard takes(.close) else { throw unexpected("a comma or a closing parenthesis was expected") }
        return members
    }

    private mutating func operand() throws(FilterError) -> FilterOperand {
        let token = self.token
        switch token.kind {
        case .string(let value):
            advance()
            return value == "*" ? .any(offset: token.offset) : .text(value, offset: token.offset)
        case .number(let value, let written):
            advance()
            return .number(value, written: written, offset: token.offset)
        case .placeholder(let name):
            advance()
            return .placeholder(name, offset: token.offset)
        case .symbol(.star):
            advance()
            return .any(offset: token.offset)
        case .word where isKeyword("CURRENTITEM"):
            advance()
            return .currentItem(FilterField(dataset: .items, name: try fieldName(after: "CurrentItem")), offset: token.offset)
        case .word:
            throw unexpected("a value was expected; text values must be in quotes")
        case .symbol, .end:
            throw unexpected("a value was expected")
        }
    }
}
