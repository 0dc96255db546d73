import FilterLanguage
import Testing

struct Example: CustomTestStringConvertible, Sendable {
    let text: String
    let expected: [Int]
    let values: [String: String]
    let user: Int?
    let currentItem: Int?

    init(_ text: String, _ expected: [Int], _ values: [String: String] = [:], user: Int? = nil, currentItem: Int? = nil) {
        self.text = text
        self.expected = expected
        self.values = values
        self.user = user
        self.currentItem = currentItem
    }

    var testDescription: String { text }

    func rows() throws -> [Int] {
        let user = user.map { FilterUser(row: $0, of: Catalogue.users) }
        return try Catalogue.rows(text, values, user: user, currentItem: currentItem)
    }
}

@Suite struct WorkedExampleTests {
    @Test(arguments: [
        Example(#"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click","stream")"#, [3, 4, 5]),
        Example(#"INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("favorite")"#, [1, 4]),
        Example(#"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")"#, [3]),
        Example(#"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)"#, [3]),
        Example(#"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ("*")"#, [0, 1, 2, 4, 5]),
        Example(#"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($T)"#, [2, 3, 4, 5], ["T": #""click""#]),
        Example(#"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($T)"#, [0, 1, 2, 3, 4, 5]),
        Example(#"INCLUDE ItemID WHERE Items.GENRE IN ($G)"#, [0, 1, 2, 5], ["G": #""comedy","drama""#]),
        Example(#"EXCLUDE ItemID WHERE Items.CATEGORY IN ("shoe") AND Items.STYLE NOT IN ("boot")"#, [0, 2, 3, 5]),
        Example(#"INCLUDE ItemID WHERE Items.PRICE <= $P"#, [0, 1, 5], ["P": #""20""#]),
        Example(#"INCLUDE ItemID WHERE Items.CREATION_TIMESTAMP > $CUTOFF"#, [1, 2, 3], ["CUTOFF": "1500"]),
        Example(#"INCLUDE ItemID WHERE Items.YEAR >= 1970 AND Items.YEAR < 1980"#, [1, 2, 3]),
        Example(#"INCLUDE ItemID WHERE Items.OWNER IN ("in-house")"#, [0, 2, 5]),
        Example(
            #"EXCLUDE ItemID WHERE Items.GENRE IN ($G) IF CurrentUser.AGE = $AGE"#, [2, 3, 4, 5], ["G": "drama", "AGE": "30"], user: 0),
        Example(
            #"EXCLUDE ItemID WHERE Items.GENRE IN ($G) IF CurrentUser.AGE = $AGE"#, [0, 1, 2, 3, 4, 5], ["G": "drama", "AGE": "30"],
            user: 1),
        Example(
            #"INCLUDE ItemID WHERE Items.CATEGORY IN ("watch") AND Items.TIER IN ("luxury") IF CurrentUser.AGE > 18"#, [2], user: 3),
        Example(
            #"INCLUDE ItemID WHERE Items.CATEGORY IN ("watch") AND Items.TIER IN ("luxury") IF CurrentUser.AGE > 18"#,
            [0, 1, 2, 3, 4, 5], user: 1),
        Example(
            #"INCLUDE ItemID WHERE Items.GENRE IN ($G) | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click")"#, [2, 5],
            ["G": "comedy"]),
        Example(
            #"INCLUDE ItemID WHERE Items.CATEGORY IN ($C) | INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("favorite")"#, [1, 4, 5],
            ["C": "bag"]),
        Example(
            #"EXCLUDE ItemID WHERE INTERACTIONS.event_type IN ("Purchase") | INCLUDE ItemID WHERE ITEMS.CATEGORY_L1 IN CurrentItem.CATEGORY_L1"#,
            [1, 2], currentItem: 1),
        Example(#"INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE"#, [0, 1, 5], currentItem: 2),
        Example(#"INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE"#, [], currentItem: 3),
        Example(#"EXCLUDE ItemID WHERE Items.CATEGORY_L1 NOT IN ("snack","drink")"#, [0, 1, 2, 5]),
        Example(#"INCLUDE UserID WHERE Users.MEMBERSHIP IN ($M)"#, [0, 3], ["M": "gold"]),
        Example(#"EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ($T)"#, [0, 3], ["T": "click"]),
        Example(#"EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("NOT_TAKEN")"#, [0, 2]),
        Example(
            #"INCLUDE ActionID WHERE Actions.VALUE > ($V) IF CurrentUser.MEMBERSHIP = $LEVEL"#, [0], ["V": "3", "LEVEL": "gold"], user: 0),
        Example(
            #"INCLUDE ActionID WHERE Actions.VALUE > ($V) IF CurrentUser.MEMBERSHIP = $LEVEL"#, [0, 1, 2], ["V": "3", "LEVEL": "gold"],
            user: 1),
    ])
    func `a worked example of the contract gives its set`(example: Example) throws {
        #expect(try example.rows() == example.expected)
    }

    @Test(arguments: [
        Example(#"exclude userid where users.country in ('FR')"#, [1, 2]),
        Example(#"INCLUDE ItemID WHERE Items.category_l1 IN (CurrentItem.category_L1)"#, [0, 2], currentItem: 0),
        Example(#"INCLUDE ActionID WHERE Action.VALUE >= 2"#, [0, 1]),
        Example(#"INCLUDE ItemID WHERE Items.OWNER = $O"#, [1, 4], ["O": "acme"]),
        Example(#"INCLUDE ItemID WHERE Items.OWNER != "acme""#, [0, 2, 3, 5]),
        Example(#"INCLUDE ItemID WHERE Items.YEAR IN (1970, "1975")"#, [1, 2]),
        Example(#"INCLUDE ItemID WHERE Items.PRICE != 10"#, [1, 2, 3, 4, 5]),
        Example(#"INCLUDE ItemID WHERE Items.PRICE = 10.0 OR Items.PRICE = 5"#, [0, 5]),
        Example(#"INCLUDE ItemID WHERE Items.PRICE > -1 AND Items.YEAR < 1970 OR Items.CATEGORY IN ("bag")"#, [0, 5]),
        Example(#"INCLUDE ItemID WHERE Items.CATEGORY IN ("bag") OR Items.CATEGORY IN ("shoe") AND Items.PRICE > 30"#, [4, 5]),
        Example(#"INCLUDE ItemID WHERE Items.GENRE IN ("Comedy")"#, []),
        Example(#"INCLUDE ItemID WHERE Items.CATEGORY_L1 NOT IN CurrentItem.CATEGORY_L1"#, [0, 3, 4], currentItem: 1),
        Example(
            #"INCLUDE ItemID WHERE Items.GENRE IN ("horror") | EXCLUDE ItemID WHERE Items.YEAR > 0 IF CurrentUser.AGE != 5"#, [3], user: 2),
        Example(
            #"INCLUDE ItemID WHERE Items.PRICE < 6 IF CurrentUser.AGE NOT IN (30) AND CurrentUser.COUNTRY IN ("FR","IT")"#, [5], user: 3),
        Example(#"INCLUDE ItemID WHERE Items.PRICE < 6 IF CurrentUser.COUNTRY NOT IN ("DE")"#, [5], user: 0),
        Example(#"INCLUDE ItemID WHERE Items.PRICE < 6 IF CurrentUser.COUNTRY NOT IN ("DE")"#, [0, 1, 2, 3, 4, 5], user: 2),
        Example(#"INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($T)"#, [0, 1, 2, 4, 5], ["T": #""*""#]),
    ])
    func `spellings of real programs and unstated rules give their sets`(example: Example) throws {
        #expect(try example.rows() == example.expected)
    }

    @Test func `an INCLUDE names the parameter it lacks`() throws {
        let error = #expect(throws: FilterError.self) { try Catalogue.rows("INCLUDE ItemID WHERE Items.GENRE IN ($G)") }
        #expect(error?.message.contains("parameter G") == true)
        #expect(error?.offset == 37)
    }

    @Test func `an INCLUDE of nothing but void IFs restricts nothing beside an EXCLUDE`() throws {
        let text =
            #"INCLUDE ItemID WHERE Items.PRICE < 0 IF CurrentUser.AGE > 1 | EXCLUDE ItemID WHERE Items.CATEGORY IN ("shoe")"#
        #expect(try Catalogue.rows(text) == [2, 3, 5])
    }

    @Test func `a word where a number is compared is refused with the parameter's name`() throws {
        let error = #expect(throws: FilterError.self) {
            try Catalogue.rows("EXCLUDE ItemID WHERE Items.PRICE < $P", ["P": "cheap"])
        }
        #expect(error?.message.contains("parameter P") == true)
    }

    @Test func `two values where one is compared are refused`() {
        #expect(throws: FilterError.self) { try Catalogue.rows("EXCLUDE ItemID WHERE Items.PRICE < $P", ["P": "1,2"]) }
    }

    @Test func `a prepared filter answers many requests`() throws {
        let prepared = try FilterExpression(parsing: #"INCLUDE ItemID WHERE Items.CATEGORY IN ("shoe") AND Items.PRICE < $P"#)
            .checked(against: Catalogue.schema).prepared(for: Catalogue.items)
        for (price, expected) in [("15", [0]), ("25", [0, 1]), ("100", [0, 1, 4])] {
            let rows = try prepared.evaluate(values: FilterValues(parsing: ["P": price])) { _ in [] }
            #expect(rows.rows == expected)
        }
    }

    @Test func `values differing in Unicode form are different values`() throws {
        var builder = ItemColumnsBuilder([.init("GENRE", .text(isMultiValued: true))])
        builder.append([.text("caf\u{E9}")])
        builder.append([.text("cafe\u{301}")])
        let filter = try FilterExpression(parsing: "INCLUDE ItemID WHERE Items.GENRE IN (\"caf\u{E9}\")").checked(against: Catalogue.schema)
        #expect(try filter.evaluate(items: builder.build()) { _ in [] }.rows == [0])
    }
}
