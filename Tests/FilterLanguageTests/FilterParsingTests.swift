import FilterLanguage
import Testing

@Suite struct FilterParsingTests {
    @Test(arguments: [
        (#"INCLUDE ItemID WHERE Items.DESCRIPTION IN ("x")"#, "textual"),
        (#"INCLUDE ItemID WHERE Items.CATEGORY IN ("x") AND Interactions.EVENT_TYPE IN ("click")"#, "same dataset"),
        (#"INCLUDE ItemID WHERE Items.CATEGORY NOT IN ($P)"#, "NOT IN"),
        (#"INCLUDE ItemID WHERE Items.PRICE > 1 IF CurrentUser.AGE > 1 IF CurrentUser.AGE < 9"#, "at most one IF"),
        (#"INCLUDE ItemID WHERE Items.PRICE > 1 IF CurrentUser.AGE > 1 OR CurrentUser.AGE < 9"#, "only be joined with AND"),
        (#"INCLUDE ItemID WHERE Items.ADULT IN ("true")"#, "boolean"),
        (#"INCLUDE ItemID WHERE Items.COLOUR IN ("red")"#, "no field COLOUR"),
        (#"INCLUDE ItemID WHERE Items.PRICE > 1 | EXCLUDE UserID WHERE Users.AGE > 1"#, "select the same thing"),
        (#"INCLUDE ItemID WHERE Items.CATEGORY IN (*)"#, "any event type"),
        (#"INCLUDE ItemID WHERE Items.CATEGORY IN ("*")"#, "any event type"),
        (#"INCLUDE ItemID WHERE Interactions.DEVICE IN ("phone")"#, "only be filtered by EVENT_TYPE"),
        (#"INCLUDE ItemID WHERE Interactions.EVENT_TYPE = "click""#, "IN or NOT IN"),
        (#"INCLUDE ItemID WHERE Users.AGE > 1"#, "IF CurrentUser"),
        (#"INCLUDE ItemID WHERE CurrentUser.AGE > 1"#, "IF at the end"),
        (#"INCLUDE UserID WHERE Items.PRICE > 1"#, "Users and Interactions"),
        (#"INCLUDE ActionID WHERE Actions.REPEAT_FREQUENCY > 1"#, "cannot be filtered"),
        (#"INCLUDE ActionID WHERE Actions.EXPIRATION_TIMESTAMP > 1"#, "cannot be filtered"),
        (#"INCLUDE ItemID WHERE Items.CATEGORY < "x""#, "holds text"),
        (#"INCLUDE ActionID WHERE Actions.ACTION_TYPE >= 5"#, "holds text"),
        (#"INCLUDE ItemID WHERE Items.PRICE < "cheap""#, "not a number"),
        (#"INCLUDE ItemID WHERE Items.PRICE < CurrentItem.GENRE"#, "cannot be compared"),
        (#"INCLUDE ItemID WHERE Items.GENRE IN CurrentItem.NOWHERE"#, "no field NOWHERE"),
        (#"INCLUDE ItemID WHERE Items.GENRE IN (CurrentItem.GENRE, "x")"#, "stand alone"),
        (#"INCLUDE ItemID WHERE Items.GENRE IN "x""#, "parentheses"),
        (#"INCLUDE ItemID WHERE Items.GENRE IN ()"#, "a value was expected"),
        (#"INCLUDE ItemID WHERE Items.GENRE IN ("x",)"#, "a value was expected"),
        (#"INCLUDE ItemID WHERE Items.GENRE IN (comedy)"#, "in quotes"),
        (#"INCLUDE ItemID WHERE Items.GENRE IN ("comedy)"#, "never closed"),
        ("INCLUDE ItemID WHERE Items.GENRE IN (\u{201C}comedy\u{201D})", "straight quotes"),
        (#"INCLUDE ItemID WHERE (Items.PRICE > 1)"#, "field such as"),
        (#"INCLUDE ItemID WHERE Items.PRICE > 1 |"#, "INCLUDE or EXCLUDE"),
        (#"INCLUDE ItemID WHERE Items.PRICE > 1 AND"#, "field such as"),
        (#"INCLUDE ItemID WHERE Items.PRICE >"#, "a value was expected"),
        (#"INCLUDE ItemID WHERE Items.PRICE > 1.2.3"#, "was expected"),
        (#"INCLUDE ItemID WHERE Items.PRICE > 1a"#, "not a number"),
        (#"INCLUDE ItemID WHERE Items.PRICE > $"#, "parameter is $"),
        (#"INCLUDE ItemID WHERE Items.PRICE ! 1"#, "!="),
        (#"INCLUDE Item WHERE Items.PRICE > 1"#, "ItemID, UserID or ActionID"),
        (#"Items.PRICE > 1"#, "INCLUDE or EXCLUDE"),
        ("  ", "empty"),
    ])
    func `a broken filter is refused with a sentence`(text: String, fragment: String) {
        let error = #expect(throws: FilterError.self) { try FilterExpression(parsing: text).checked(against: Catalogue.schema) }
        let message = error?.message ?? ""
        #expect(message.contains(fragment), "\(message)")
        #expect(!message.hasPrefix("Could not create filter."))
        #expect((error?.offset ?? -1) >= 0 && (error?.offset ?? .max) <= text.unicodeScalars.count)
    }

    @Test func `an unclosed quote is reported where it opens`() {
        let error = #expect(throws: FilterError.self) {
            try FilterExpression(parsing: "INCLUDE ItemID WHERE Items.A IN (\"\u{1F600}\", 'b)")
        }
        #expect(error?.offset == 38)
    }

    @Test func `a dataset that the group lacks is named`() throws {
        let schema = FilterSchema([.items: [.init("GENRE", .string)]])
        let expression = try FilterExpression(parsing: #"EXCLUDE ItemID WHERE Items.GENRE IN ("a") IF CurrentUser.AGE > 1"#)
        let error = #expect(throws: FilterError.self) { try expression.checked(against: schema) }
        #expect(error?.message.contains("no Users dataset") == true)
    }

    @Test func `2500 characters are accepted and one more is not`() throws {
        let start = "INCLUDE ItemID WHERE Items.GENRE IN (\""
        let longest = start + String(repeating: "\u{1F3A7}", count: 2500 - start.count - 2) + "\")"
        #expect(throws: Never.self) { try FilterExpression(parsing: longest) }
        #expect(throws: FilterError.self) { try FilterExpression(parsing: longest + " ") }
    }

    @Test func `ten fields are accepted and eleven are not`() throws {
        func text(_ count: Int) -> String {
            "INCLUDE ItemID WHERE " + (1...count).map { "Items.F\($0) > 1 AND Items.f\($0) < 9" }.joined(separator: " AND ")
        }
        #expect(try FilterExpression(parsing: text(10)).fields.count == 10)
        #expect(throws: FilterError.self) { try FilterExpression(parsing: text(11)) }
    }

    @Test func `a filter tells what it uses`() throws {
        let text =
            #"INCLUDE ItemID WHERE Items.GENRE IN ($G, $H) IF CurrentUser.AGE > $A | EXCLUDE ItemID WHERE Items.genre IN ($G,$X)"#
            + #" | EXCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE"#
        let filter = try FilterExpression(parsing: text)
        #expect(filter.target == .item)
        #expect(filter.placeholders.map(\.name) == ["G", "H", "A", "X"])
        #expect(filter.placeholders.map(\.isRequired) == [true, true, true, false])
        #expect(filter.usesCurrentItem && filter.usesCurrentUser && !filter.usesInteractions)
        #expect(
            filter.fields == [
                .init(dataset: .items, name: "GENRE"), .init(dataset: .users, name: "AGE"), .init(dataset: .items, name: "PRICE"),
            ])
        #expect(try FilterExpression(parsing: #"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")"#).usesInteractions)
    }

    @Test func `a list member keeps its comma, its escaped quote and its bar`() throws {
        var builder = ItemColumnsBuilder([.init("OWNER", .text(isMultiValued: false))])
        for owner in [#"click, rating"#, #"say "hi""#, "a|b", "it's", "人気"] { builder.append([.text(owner)]) }
        let filter = try FilterExpression(
            parsing: #"INCLUDE ItemID WHERE Items.OWNER IN ("click, rating","say \"hi\"","a|b",'it\'s','人気')"#)
        let rows = try filter.checked(against: Catalogue.schema).evaluate(items: builder.build()) { _ in [] }
        #expect(rows.popCount == 5)
    }
}

@Suite struct FilterValuesTests {
    @Test(arguments: [
        (#""comedy","drama""#, ["comedy", "drama"]),
        (#" "comedy" , "drama" "#, ["comedy", "drama"]),
        ("1465413032", ["1465413032"]),
        (#""1480000000""#, ["1480000000"]),
        (#""click, rating","b""#, ["click, rating", "b"]),
        ("a, b c ,d", ["a", "b c", "d"]),
        (#""say \"hi\"""#, [#"say "hi""#]),
        (#""""#, [""]),
        ("'90s", ["'90s"]),
    ])
    func `values are unquoted and split at commas outside quotes`(text: String, expected: [String]) throws {
        #expect(try FilterValues(parsing: ["P": text])["P"] == expected)
    }

    @Test(arguments: ["", "  "])
    func `an empty entry is a missing one`(text: String) throws {
        #expect(try FilterValues(parsing: ["P": text])["P"] == nil)
    }

    @Test(arguments: [#""open"#, #""a"b"#, "a,,b", "a,", #""a","#, String(repeating: "x", count: 1001)])
    func `a malformed value is refused and names its parameter`(text: String) {
        let error = #expect(throws: FilterError.self) { try FilterValues(parsing: ["GENRES": text]) }
        #expect(error?.message.contains("GENRES") == true)
    }

    @Test func `names are matched with their case`() throws {
        #expect(try FilterValues(parsing: ["p": "1"])["P"] == nil)
    }

    @Test func `26 entries are refused`() {
        let entries = Dictionary(uniqueKeysWithValues: (0..<26).map { ("P\($0)", "1") })
        #expect(throws: FilterError.self) { try FilterValues(parsing: entries) }
    }
}
