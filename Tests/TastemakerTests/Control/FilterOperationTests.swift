import Postgres
import Support
import Tastemaker
import Testing

struct FilterOperationTests {
    let fixture: ControlFixture

    init() throws {
        fixture = try ControlFixture()
        try fixture.makeShop()
    }

    @Test(arguments: [
        #"INCLUDE ItemID WHERE Items.GENRE IN ("a")"#, #"EXCLUDE ItemID WHERE Interactions.event_type IN ($T)"#,
        #"INCLUDE ItemID WHERE Items.PRICE < 5 | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")"#,
    ])
    func `a filter on columns of the group is active at once and echoed as given`(expression: String) throws {
        _ = try fixture.makeFilter("f", expression)
        let filter = try fixture.environment.describeFilter(arn: fixture.arn("filter/f"), by: fixture.caller)
        #expect(filter.status == .active)
        #expect(filter.expression == expression)
    }

    @Test(arguments: [
        #"INCLUDE ItemID WHERE Items.NOPE IN ("a")"#, #"INCLUDE ItemID WHERE Items.TEXT IN ("a")"#,
        #"INCLUDE ItemID WHERE Users.AGE IN ("a")"#, #"INCLUDE ItemID"#, #"INCLUDE ItemID WHERE Items.GENRE NOT IN ($P)"#,
    ])
    func `a filter that does not fit says so in the contract's words`(expression: String) {
        #expect {
            try fixture.makeFilter("f", expression)
        } throws: { error in
            OperationError(error).message.hasPrefix("Could not create filter.")
        }
    }

    @Test(arguments: ["", String(repeating: "x", count: 2501)])
    func `the length of an expression is bounded`(expression: String) {
        #expect(Refusal { try fixture.makeFilter("f", expression) } == .invalidInput)
    }

    @Test func `the thirty-first filter of a group is refused`() throws {
        for index in 1...30 { _ = try fixture.makeFilter("f\(index)", #"INCLUDE ItemID WHERE Items.GENRE IN ("a")"#) }
        #expect(Refusal { try fixture.makeFilter("f31", #"INCLUDE ItemID WHERE Items.GENRE IN ("a")"#) } == .limitExceeded)
    }

    @Test func `filters of a group use at most twenty distinct fields`() throws {
        let columns = (1...21).map { #"{"name":"C\#($0)","type":"string"}"# }.joined(separator: ",")
        let body = #"{"type":"record","name":"Items","fields":[{"name":"ITEM_ID","type":"string"},\#(columns)]}"#
        _ = try fixture.makeGroup("wide")
        try fixture.makeSchema("wide", body)
        try fixture.makeDataset("Items", schema: "wide", group: "wide")
        func expression(_ range: ClosedRange<Int>) -> String {
            "INCLUDE ItemID WHERE " + range.map { #"Items.C\#($0) IN ("a")"# }.joined(separator: " OR ")
        }
        _ = try fixture.makeFilter("a", expression(1...10), group: "wide")
        _ = try fixture.makeFilter("b", expression(11...20), group: "wide")
        #expect(Refusal { try fixture.makeFilter("c", expression(21...21), group: "wide") } == .limitExceeded)
        #expect(Refusal { try fixture.makeFilter("d", expression(5...14), group: "wide") } == .none)
    }

    @Test func `a filter that a placement shows through is not deleted`() throws {
        let filter = try fixture.makeFilter("f", #"INCLUDE ItemID WHERE Items.GENRE IN ("a")"#)
        try fixture.environment.change { connection in
            _ = try connection.execute(
                "INSERT INTO placement (dataset_group_id, name, title, filter_id) VALUES (\(filter.datasetGroupID), 'home', 'Home', \(filter.id))"
            )
        }
        #expect(Refusal { try fixture.environment.deleteFilter(arn: fixture.arn("filter/f"), by: fixture.caller) } == .inUse)
    }

    @Test func `names of filters are unique in the account, not in the group`() throws {
        _ = try fixture.makeFilter("f", #"INCLUDE ItemID WHERE Items.GENRE IN ("a")"#)
        _ = try fixture.makeGroup("other")
        try fixture.makeDataset("Items", schema: "items", group: "other")
        #expect(Refusal { try fixture.makeFilter("f", #"INCLUDE ItemID WHERE Items.GENRE IN ("b")"#, group: "other") } == .alreadyExists)
    }
}
