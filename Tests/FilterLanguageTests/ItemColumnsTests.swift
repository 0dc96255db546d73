import FilterLanguage
import Testing

@Suite struct ItemColumnsTests {
    private static let definitions: [ColumnDefinition] = [.init("TAG", .text(isMultiValued: true)), .init("PRICE", .number)]
    private static let schema = FilterSchema([.items: [.init("TAG", .string, isCategorical: true), .init("PRICE", .number)]])
    private static let filters = [
        #"INCLUDE ItemID WHERE Items.TAG IN ("t1","t2")"#, #"INCLUDE ItemID WHERE Items.TAG NOT IN ("t0")"#,
        "INCLUDE ItemID WHERE Items.PRICE < 40", #"EXCLUDE ItemID WHERE Items.PRICE IN (1,2,3) OR Items.TAG IN ("t9")"#,
        "INCLUDE ItemID WHERE Items.PRICE = 7",
    ]

    private static func row(_ generator: inout SeededGenerator) -> [ColumnValue] {
        let tags = (0..<Int.random(in: 0...3, using: &generator)).map { _ in "t\(Int.random(in: 0...12, using: &generator))" }
        let price: ColumnValue = Bool.random(using: &generator) ? .number(Double(Int.random(in: 0...80, using: &generator))) : .null
        return [tags.isEmpty ? .null : .text(tags.joined(separator: "|")), price]
    }

    private static func build(_ rows: [[ColumnValue]]) -> ItemColumns {
        var builder = ItemColumnsBuilder(definitions)
        for row in rows { builder.append(row) }
        return builder.build()
    }

    @Test func `changed and added rows give the same answers as a table built anew`() throws {
        var generator = SeededGenerator(seed: 11)
        var rows = (0..<700).map { _ in Self.row(&generator) }
        var table = Self.build(rows)
        for _ in 0..<60 {
            var changes: [(row: Int, values: [ColumnValue])] = []
            for _ in 0..<Int.random(in: 0...20, using: &generator) {
                changes.append((Int.random(in: 0..<rows.count, using: &generator), Self.row(&generator)))
            }
            let added = (0..<Int.random(in: 0...20, using: &generator)).map { _ in Self.row(&generator) }
            for (row, values) in changes { rows[row] = values }
            rows += added
            table = table.updating(changes, appending: added)
            #expect(table.rowCount == rows.count)
            let fresh = Self.build(rows)
            for text in Self.filters {
                let filter = try FilterExpression(parsing: text).checked(against: Self.schema)
                #expect(try filter.evaluate(items: table) { _ in [] } == filter.evaluate(items: fresh) { _ in [] })
            }
        }
    }

    @Test func `an update leaves the table it started from alone`() throws {
        let old = Self.build([[.text("t1"), .number(1)]])
        let new = old.updating([(0, [.text("t2"), .null])], appending: [[.text("t1"), .number(3)]])
        let filter = try FilterExpression(parsing: #"INCLUDE ItemID WHERE Items.TAG IN ("t1")"#).checked(against: Self.schema)
        #expect(try filter.evaluate(items: old) { _ in [] }.rows == [0])
        #expect(try filter.evaluate(items: new) { _ in [] }.rows == [1])
    }

    @Test func `values are read back by name in any case`() throws {
        let table = Self.build([[.text("b|a|b||"), .number(2.5)], [.null, .null]]).updating([(1, [.text("c"), .text("7")])])
        guard case .text("b|a") = table.value(row: 0, column: "tag") else { return #expect(Bool(false), "first tags") }
        guard case .number(2.5) = table.value(row: 0, column: "Price") else { return #expect(Bool(false), "first price") }
        guard case .text("c") = table.value(row: 1, column: "TAG") else { return #expect(Bool(false), "changed tag") }
        guard case .number(7) = table.value(row: 1, column: "PRICE") else { return #expect(Bool(false), "changed price") }
        #expect(table.value(row: 0, column: "NOWHERE") == nil)
    }

    @Test func `a column that the table lacks is null everywhere`() throws {
        let schema = FilterSchema([.items: [.init("NEW", .string), .init("SIZE", .number)]])
        let table = Self.build([[], []])
        for (condition, expected) in [
            (#"NEW IN ("a")"#, []), (#"NEW NOT IN ("a")"#, [0, 1]), ("SIZE < 3", []), ("SIZE != 3", [0, 1]),
        ] {
            let filter = try FilterExpression(parsing: "INCLUDE ItemID WHERE Items." + condition).checked(against: schema)
            #expect(try filter.evaluate(items: table) { _ in [] }.rows == expected)
        }
    }

    @Test func `rows of events outside the table are ignored`() throws {
        let schema = FilterSchema([.interactions: [.init("EVENT_TYPE", .string)]])
        let filter = try FilterExpression(parsing: "INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)").checked(against: schema)
        #expect(try filter.evaluate(items: Self.build([[], []])) { _ in [-1, 1, 2, .max] }.rows == [1])
    }

    @Test func `an empty table gives an empty set`() throws {
        for text in Self.filters {
            let filter = try FilterExpression(parsing: text).checked(against: Self.schema)
            #expect(try filter.evaluate(items: Self.build([])) { _ in [] }.popCount == 0)
        }
    }
}

@Suite struct RowBitmapTests {
    @Test(arguments: [0, 1, 63, 64, 65, 130])
    func `operations agree with sets of rows`(count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let first = Set((0..<count).filter { _ in Bool.random(using: &generator) })
        let second = Set((0..<count).filter { _ in Bool.random(using: &generator) })
        let a = RowBitmap(count: count, rows: first.map(Int32.init))
        let b = RowBitmap(count: count, rows: second.map(Int32.init))
        var union = a
        union.or(b)
        var both = a
        both.and(b)
        var rest = a
        rest.andNot(b)
        var others = a
        others.invert()
        #expect(union.rows == first.union(second).sorted())
        #expect(both.rows == first.intersection(second).sorted())
        #expect(rest.rows == first.subtracting(second).sorted())
        #expect(others.rows == (0..<count).filter { !first.contains($0) })
        #expect(others.popCount == count - first.count)
        #expect(RowBitmap(count: count, filled: true).popCount == count)
    }
}
