import Feeds
import Testing

private func interactions(_ own: [SchemaColumn] = []) throws -> AvroSchema {
    try AvroSchema(
        kind: .interactions,
        columns: [
            SchemaColumn(name: "USER_ID", type: .string), SchemaColumn(name: "ITEM_ID", type: .string),
            SchemaColumn(name: "TIMESTAMP", type: .long), SchemaColumn(name: "EVENT_TYPE", type: .string),
            SchemaColumn(name: "EVENT_VALUE", type: .float, isNullable: true),
        ] + own)
}

private func items(_ own: [SchemaColumn]) throws -> AvroSchema {
    try AvroSchema(kind: .items, columns: [SchemaColumn(name: "ITEM_ID", type: .string)] + own)
}

private func read(_ text: String, _ schema: AvroSchema, sources: [ColumnSource] = []) throws -> (records: [DecodedRow], errors: [RowError])
{
    var reader = RecordReader(schema: schema, sources: sources)
    var records: [DecodedRow] = []
    var errors: [RowError] = []
    try reader.read(Array(text.utf8)) {
        records.append($0)
    } rejected: {
        errors.append($0)
    }
    try reader.finish {
        records.append($0)
    } rejected: {
        errors.append($0)
    }
    return (records, errors)
}

@Test func `an interaction is read whatever the order of columns, and others are passed over`() throws {
    let schema = try interactions([SchemaColumn(name: "DEVICE", type: .string, isNullable: true, isCategorical: true)])
    let text =
        "NOISE,TIMESTAMP,EVENT_VALUE,ITEM_ID,EVENT_TYPE,USER_ID,DEVICE\nx,964982703,4.5,i1,rating,u1,phone\nx,964982703,,i1,rating,u1,\n"
    let (records, errors) = try read(text, schema)
    #expect(errors.isEmpty)
    let first = try #require(records.first)
    #expect(first.userID == Array("u1".utf8))
    #expect(first.itemID == Array("i1".utf8))
    #expect(first.timestamp == 964_982_703)
    #expect(first.eventType == "rating")
    #expect(first.eventValue == 4.5)
    #expect(first.others == [.string("phone")])
    #expect(records.last?.eventValue == nil)
    #expect(records.last?.others == [.null])
}

@Test func `missing columns are named as Personalize names them`() throws {
    let schema = try interactions()
    let error = #expect(throws: FeedError.self) { try read("USER_ID,EVENT_TYPE,EVENT_VALUE\n", schema) }
    #expect(error?.description == "Input CSV is missing the following columns:[ITEM_ID, TIMESTAMP]")
}

@Test func `a column named twice and an empty file are refused`() throws {
    let schema = try interactions()
    #expect(throws: FeedError(line: 1, reason: "the column USER_ID occurs twice")) {
        try read("USER_ID,USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n", schema)
    }
    #expect(throws: FeedError(line: 1, reason: "the file is empty, a header line was expected")) { try read("\n\n", schema) }
}

private let badRows: [(String, String)] = [
    (",i,1,e,", "USER_ID: is empty"),
    ("u,\(String(repeating: "é", count: 257)),1,e,", "ITEM_ID: has more than 256 characters"),
    ("u,i,,e,", "TIMESTAMP: is empty and the schema does not allow null"),
    ("u,i,soon,e,", "TIMESTAMP: \"soon\" is not a whole number"),
    ("u,i,1.5,e,", "TIMESTAMP: \"1.5\" is not a whole number"),
    ("u,i,-1,e,", "TIMESTAMP: -1 is too early for epoch seconds"),
    ("u,i,1600000000000,e,", "TIMESTAMP: 1600000000000 is too late for epoch seconds; it looks like milliseconds"),
    ("u,i,1,,", "EVENT_TYPE: is empty and the schema does not allow null"),
    ("u,i,1,\(String(repeating: "e", count: 257)),", "EVENT_TYPE: has more than 256 characters"),
    ("u,i,1,e,nan", "EVENT_VALUE: \"nan\" is not a finite number"),
    ("u,i,1,e,0x10", "EVENT_VALUE: \"0x10\" is not a finite number"),
    ("u,i,1,e,1e999", "EVENT_VALUE: \"1e999\" is not a finite number"),
    ("u,i,1,e,1e300", "EVENT_VALUE: 1e+300 does not fit a float"),
]

@Test(arguments: badRows) func `a value that breaks a rule is refused with its column`(row: String, reason: String) throws {
    let (records, errors) = try read("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n\(row)\nu,i,7.0,e, -2.5e1\n", try interactions())
    #expect(errors == [RowError(line: 2, reason: reason)])
    #expect(records.map(\.timestamp) == [7])
    #expect(records.map(\.eventValue) == [-25])
}

@Test func `an id of 256 characters is accepted whatever its bytes`() throws {
    let id = String(repeating: "日", count: 256)
    let (records, _) = try read("ITEM_ID,X\n\(id),1\n", try items([SchemaColumn(name: "X", type: .int)]))
    #expect(records.first?.itemID == Array(id.utf8))
    #expect(records.first?.others == [.long(1)])
}

@Test func `numbers, booleans and strings keep to their type`() throws {
    let schema = try items([
        SchemaColumn(name: "I", type: .int, isNullable: true), SchemaColumn(name: "B", type: .boolean, isNullable: true),
        SchemaColumn(name: "C", type: .string, isNullable: true, isCategorical: true),
    ])
    let long = String(repeating: "x", count: 1_001)
    let (records, errors) = try read("ITEM_ID,I,B,C\na,2147483647,true,x|y\nb,2147483648,,\nc,,TRUE,\nd,,,\(long)\ne,,false,\n", schema)
    #expect(records.map(\.others) == [[.long(2_147_483_647), .boolean(true), .string("x|y")], [.null, .boolean(false), .null]])
    #expect(
        errors.map(\.reason) == [
            "I: 2147483648 does not fit an int", "B: \"TRUE\" is not true or false", "C: has more than 1000 characters",
        ])
}

@Test func `a text is cleaned of markup and cut, not refused`() throws {
    let schema = try items([SchemaColumn(name: "T", type: .string, isNullable: true, isTextual: true)])
    let long = String(repeating: "日", count: 21_000)
    let text = "ITEM_ID,T\na,\"<p>Mug &amp;\n\t spoon</p>\"\nb,\(long)\nc,<br/>\n"
    let (records, errors) = try read(text, schema)
    #expect(errors.isEmpty)
    #expect(records.map(\.others) == [[.string("Mug & spoon")], [.string(String(repeating: "日", count: 20_000))], [.null]])
}

@Test func `sources rename columns and convert moments`() throws {
    let schema = try interactions()
    let sources = [
        ColumnSource(column: "USER_ID", header: "visitorid"), ColumnSource(column: "ITEM_ID", header: "itemid"),
        ColumnSource(column: "TIMESTAMP", header: "timestamp", dateFormat: .epochMilliseconds),
        ColumnSource(column: "EVENT_TYPE", header: "event"), ColumnSource(column: "EVENT_VALUE", header: "transactionid"),
    ]
    let (records, errors) = try read(
        "timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\nx,1,view,2,\n", schema, sources: sources)
    #expect(records.map(\.timestamp) == [1_433_221_332])
    #expect(errors.map(\.reason) == ["TIMESTAMP: \"x\" is not a moment of the form epochMilliseconds"])
}

@Test func `an action's event is Taken, Not Taken or Viewed in any case`() throws {
    let schema = try AvroSchema(
        kind: .actionInteractions,
        columns: [
            SchemaColumn(name: "USER_ID", type: .string), SchemaColumn(name: "ACTION_ID", type: .string),
            SchemaColumn(name: "EVENT_TYPE", type: .string), SchemaColumn(name: "TIMESTAMP", type: .long),
        ])
    let (records, errors) = try read("USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\nu,a,NOT_TAKEN,1\nu,a,Viewed,1\nu,a,bought,1\n", schema)
    #expect(records.map(\.eventType) == ["NOT_TAKEN", "Viewed"])
    #expect(errors.map(\.reason) == ["EVENT_TYPE: \"bought\" is not one of Taken, Not Taken, Viewed"])
}
