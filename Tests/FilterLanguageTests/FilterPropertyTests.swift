import FilterLanguage
import Foundation
import Testing

/// SplitMix64 (Steele, Lea, Flood 2014).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// A filter as a random generator made it, with its own row-by-row reading of the contract. Shares no code with the module.
private struct RandomFilter {
    enum Test {
        case texts([String], negated: Bool)
        case number(String, Double)
        case events([String]?, negated: Bool)
    }

    struct Condition {
        var column: String
        var test: Test
    }

    struct Clause {
        var isInclude: Bool
        var groups: [[Condition]]
        /// CurrentUser.AGE in this relation to the number.
        var ifAge: (String, Double)?
    }

    struct Row {
        var tags: [String]
        var price: Double?
        var events: Set<String>
    }

    var clauses: [Clause]

    static func random(_ generator: inout SeededGenerator) -> RandomFilter {
        RandomFilter(
            clauses: (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                let onEvents = Int.random(in: 0..<3, using: &generator) == 0
                let groups = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                    (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                        onEvents ? event(&generator) : column(&generator)
                    }
                }
                let age = Int.random(in: 0..<3, using: &generator) == 0 ? (relation(&generator), 30.0) : nil
                return Clause(isInclude: Bool.random(using: &generator), groups: groups, ifAge: age)
            })
    }

    private static func relation(_ generator: inout SeededGenerator) -> String {
        ["=", "!=", "<", "<=", ">", ">="].randomElement(using: &generator) ?? "="
    }

    private static func column(_ generator: inout SeededGenerator) -> Condition {
        if Bool.random(using: &generator) {
            return Condition(column: "PRICE", test: .number(relation(&generator), Double(Int.random(in: 0...9, using: &generator)) / 2))
        }
        let texts = (0..<Int.random(in: 1...3, using: &generator)).map { _ in "t\(Int.random(in: 0...5, using: &generator))" }
        return Condition(column: "TAG", test: .texts(texts, negated: Bool.random(using: &generator)))
    }

    private static func event(_ generator: inout SeededGenerator) -> Condition {
        let types = Int.random(in: 0..<4, using: &generator) == 0 ? nil : [["click", "buy", "view"].randomElement(using: &generator) ?? ""]
        return Condition(column: "EVENT_TYPE", test: .events(types, negated: Bool.random(using: &generator)))
    }

    // MARK: As text

    func text(_ generator: inout SeededGenerator) -> String {
        var parts: [String] = []
        for clause in clauses {
            var text = (clause.isInclude ? "INCLUDE" : "EXCLUDE") + " ItemID WHERE "
            text += clause.groups.map { $0.map { Self.text($0, &generator) }.joined(separator: " AND ") }.joined(separator: " OR ")
            if let (relation, age) = clause.ifAge { text += " IF CurrentUser.AGE \(relation) \(age)" }
            parts.append(text)
        }
        let joined = parts.joined(separator: Bool.random(using: &generator) ? " | " : "|")
        return Bool.random(using: &generator) ? joined : joined.replacingOccurrences(of: "INCLUDE", with: "include")
    }

    private static func text(_ condition: Condition, _ generator: inout SeededGenerator) -> String {
        let quote = Bool.random(using: &generator) ? "\"" : "'"
        switch condition.test {
        case .texts(let texts, let negated):
            return "Items.TAG " + (negated ? "NOT IN" : "in") + " (" + texts.map { quote + $0 + quote }.joined(separator: ",") + ")"
        case .number(let relation, let number):
            return "Items.price \(relation) \(number)"
        case .events(let types, let negated):
            let list = types?.map { quote + $0.uppercased() + quote }.joined(separator: " , ") ?? "*"
            return "Interactions.EVENT_TYPE " + (negated ? "not in" : "IN") + "(" + list + ")"
        }
    }

    // MARK: Row by row

    func allows(_ row: Row, age: Double?) -> Bool {
        let live = clauses.filter { clause in
            guard let (relation, bound) = clause.ifAge else { return true }
            guard let age else { return false }
            return Self.compare(age, relation, bound)
        }
        let includes = live.filter(\.isInclude)
        let isIncluded = includes.isEmpty || includes.contains { Self.matches($0, row) }
        return isIncluded && !live.contains { !$0.isInclude && Self.matches($0, row) }
    }

    private static func matches(_ clause: Clause, _ row: Row) -> Bool {
        clause.groups.contains { group in group.allSatisfy { holds($0.test, row) } }
    }

    private static func holds(_ test: Test, _ row: Row) -> Bool {
        switch test {
        case .texts(let texts, let negated): row.tags.contains { texts.contains($0) } != negated
        case .number(let relation, let bound): row.price.map { compare($0, relation, bound) } ?? (relation == "!=")
        case .events(let types, let negated): row.events.contains { types?.contains($0) ?? true } != negated
        }
    }

    private static func compare(_ value: Double, _ relation: String, _ bound: Double) -> Bool {
        switch relation {
        case "=": value == bound
        case "!=": value != bound
        case "<": value < bound
        case "<=": value <= bound
        case ">": value > bound
        default: value >= bound
        }
    }
}

@Suite struct FilterPropertyTests {
    private static let schema = FilterSchema([
        .items: [.init("TAG", .string, isCategorical: true), .init("PRICE", .number)], .users: [.init("AGE", .number)],
        .interactions: [.init("EVENT_TYPE", .string)],
    ])

    @Test func `random filters over random tables agree with a row-by-row reading`() throws {
        var generator = SeededGenerator(seed: 2024)
        for _ in 0..<1500 {
            let rows = (0..<Int.random(in: 0...150, using: &generator)).map { _ in
                RandomFilter.Row(
                    tags: (0..<Int.random(in: 0...2, using: &generator)).map { _ in "t\(Int.random(in: 0...5, using: &generator))" },
                    price: Bool.random(using: &generator) ? Double(Int.random(in: 0...9, using: &generator)) / 2 : nil,
                    events: Set(["click", "buy", "view"].filter { _ in Int.random(in: 0..<3, using: &generator) == 0 }))
            }
            var builder = ItemColumnsBuilder([.init("Tag", .text(isMultiValued: true)), .init("PRICE", .number)])
            for row in rows {
                builder.append([row.tags.isEmpty ? .null : .text(row.tags.joined(separator: "|")), row.price.map { .number($0) } ?? .null])
            }
            let filter = RandomFilter.random(&generator)
            let text = filter.text(&generator)
            let age = [nil, 29.0, 30, 31].randomElement(using: &generator) ?? nil
            let bitmap = try FilterExpression(parsing: text).checked(against: Self.schema).evaluate(
                items: builder.build(), user: age.map { FilterUser(["age": .number($0)]) }
            ) { selection in
                rows.indices.filter { rows[$0].events.contains(where: selection.contains) }.map(Int32.init)
            }
            #expect(bitmap.rows == rows.indices.filter { filter.allows(rows[$0], age: age) }, "\(text)")
        }
    }

    @Test func `ten thousand mutated filters end in a value or an error`() throws {
        let seeds = [
            #"INCLUDE ItemID WHERE Items.TAG IN ("t1","a \"b\"",$P) AND Items.PRICE >= -12.5 IF CurrentUser.AGE > 18"#,
            #"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*") | INCLUDE ItemID WHERE Items.PRICE < (CurrentItem.PRICE)"#,
            #"EXCLUDE ItemID WHERE Items.TAG NOT IN ('snack','人気') OR Items.PRICE != 3 | INCLUDE ItemID WHERE Items.TAG IN CurrentItem.TAG"#,
        ]
        let alphabet = Array(#"INCLUDEinx$"'()*|,.<>=!0123456789 -_\"#.utf8) + [0, 0xE4, 0xFF, 0xCC, 10]
        var builder = ItemColumnsBuilder([.init("TAG", .text(isMultiValued: true)), .init("PRICE", .number)])
        builder.append([.text("t1"), .number(3)])
        let table = builder.build()
        var generator = SeededGenerator(seed: 7)
        var accepted = 0
        let start = ContinuousClock.now
        for round in 0..<10_000 {
            var bytes = Array(seeds[round % seeds.count].utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                let byte = alphabet.randomElement(using: &generator) ?? 0
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = byte
                case 1: bytes.insert(byte, at: place)
                default: bytes.remove(at: place)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                let filter = try FilterExpression(parsing: text).checked(against: Self.schema)
                let rows = try filter.evaluate(items: table, values: FilterValues(parsing: ["P": "x"]), currentItemRow: 0) { _ in [0] }
                #expect(rows.count == 1)
                accepted += 1
            } catch {
                #expect(error.offset <= text.unicodeScalars.count && !error.message.isEmpty)
            }
        }
        #expect(accepted > 100)
        #expect(start.duration(to: .now) < .seconds(60))
    }

    @Test(arguments: [10_000, 100_000])
    func `the time of an evaluation is printed`(count: Int) throws {
        var builder = ItemColumnsBuilder([.init("TAG", .text(isMultiValued: true)), .init("PRICE", .number)])
        for row in 0..<count { builder.append([.text("t\(row % 10)|u\(row % 1000)"), .number(Double(row % 500))]) }
        let table = builder.build()
        let filter = try FilterExpression(parsing: #"INCLUDE ItemID WHERE Items.TAG IN ("t3","u7") AND Items.PRICE < $P"#)
            .checked(against: Self.schema)
        let events = try FilterExpression(
            parsing: #"INCLUDE ItemID WHERE Items.TAG IN ("t3","t4") | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)"#
        )
        .checked(against: Self.schema)
        let values = try FilterValues(parsing: ["P": "250"])
        let history = (0..<100).map { Int32($0 * count / 100) }
        let prepared = filter.prepared(for: table)
        let preparedEvents = events.prepared(for: table)
        var total = 0
        func microseconds(_ rounds: Int, _ body: () throws -> Int) rethrows -> String {
            let start = ContinuousClock.now
            for _ in 0..<rounds { total += try body() }
            return String(format: "%.1f µs", Double((start.duration(to: .now) / rounds).components.attoseconds) / 1e12)
        }
        let full = try microseconds(200) { try filter.evaluate(items: table, values: values) { _ in [] }.words.count }
        let warm = try microseconds(200) { try prepared.evaluate(values: values) { _ in [] }.words.count }
        let seen = try microseconds(200) { try preparedEvents.evaluate { _ in history }.words.count }
        let update = microseconds(50) { table.updating([(row: 5, values: [.text("t1"), .number(4)])]).rowCount }
        print(
            "filter on \(count) rows: two conditions \(full), prepared \(warm), prepared category minus 100 events \(seen), update \(update)"
        )
        #expect(total > 0)
    }
}
