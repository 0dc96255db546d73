import Feeds
import Testing

private func schema(_ name: String, _ fields: String) -> String {
    #"{"type":"record","name":"\#(name)","namespace":"com.amazonaws.personalize.schema","fields":[\#(fields)],"version":"1.0"}"#
}

private let user = #"{"name":"USER_ID","type":"string"}"#
private let item = #"{"name":"ITEM_ID","type":"string"}"#
private let action = #"{"name":"ACTION_ID","type":"string"}"#
private let time = #"{"name":"TIMESTAMP","type":"long"}"#
private let event = #"{"name":"EVENT_TYPE","type":"string"}"#
private let genres = #"{"name":"GENRES","type":["null","string"],"categorical":true}"#

/// The fields of the default and example schemas in the Amazon Personalize developer guide, written down anew.
private let defaults: [(Domain?, String)] = [
    (nil, schema("Interactions", [user, item, time].joined(separator: ","))),
    (
        nil,
        schema(
            "Interactions",
            [
                user, item, time, event, #"{"name":"EVENT_VALUE","type":["float","null"]}"#,
                #"{"name":"IMPRESSION","type":"string"}"#, #"{"name":"RECOMMENDATION_ID","type":["string","null"]}"#,
            ].joined(separator: ","))
    ),
    (
        nil,
        schema(
            "Items",
            [
                item, genres, #"{"name":"CREATION_TIMESTAMP","type":"long"}"#,
                #"{"name":"DESCRIPTION","type":["null","string"],"textual":true}"#,
            ].joined(separator: ","))
    ),
    (
        nil,
        schema(
            "Users",
            [user, #"{"name":"AGE","type":"int"}"#, #"{"name":"GENDER","type":"string","categorical":true}"#].joined(separator: ","))
    ),
    (
        nil,
        schema(
            "Actions",
            [
                action, #"{"name":"VALUE","type":["null","long"]}"#,
                #"{"name":"MEMBERSHIP_LEVEL","type":["null","string"],"categorical":true}"#,
                #"{"name":"CREATION_TIMESTAMP","type":"long"}"#, #"{"name":"REPEAT_FREQUENCY","type":["long","null"]}"#,
            ].joined(separator: ","))
    ),
    (nil, schema("ActionInteractions", [user, action, event, time].joined(separator: ","))),
    (.ecommerce, schema("Interactions", [user, item, time, event].joined(separator: ","))),
    (
        .ecommerce,
        schema(
            "Items",
            [item, #"{"name":"PRICE","type":"float"}"#, #"{"name":"CATEGORY_L1","type":["string"],"categorical":true}"#].joined(
                separator: ","))
    ),
    (
        .ecommerce,
        schema("Users", [user, #"{"name":"MEMBERSHIP_STATUS","type":["string","null"],"categorical":true}"#].joined(separator: ","))
    ),
    (.videoOnDemand, schema("Interactions", [user, item, event, time].joined(separator: ","))),
    (
        .videoOnDemand,
        schema(
            "Items",
            [item, #"{"name":"GENRES","type":["string"],"categorical":true}"#, #"{"name":"CREATION_TIMESTAMP","type":"long"}"#].joined(
                separator: ","))
    ),
    (.videoOnDemand, schema("Users", [user, #"{"name":"SUBSCRIPTION_MODEL","type":"string","categorical":true}"#].joined(separator: ","))),
]

@Test(arguments: defaults) func `a default schema parses, and again after it was written`(domain: Domain?, text: String) throws {
    let parsed = try AvroSchema(parsing: text, domain: domain)
    #expect(try AvroSchema(parsing: parsed.text, kind: parsed.kind, domain: domain) == parsed)
}

@Test func `a column knows its type, null, marks and reserved name`() throws {
    let parsed = try AvroSchema(
        parsing: schema(
            "Items", [item, genres, #"{"name":"TITLE","type":["string","null"],"itemName":true,"doc":"x"}"#].joined(separator: ",")))
    #expect(parsed.kind == .items)
    #expect(parsed.column(named: "ITEM_ID")?.isReserved == true)
    #expect(parsed.column(named: "ITEM_ID")?.isNullable == false)
    let genre = SchemaColumn(name: "GENRES", type: .string, isNullable: true, isCategorical: true)
    #expect(parsed.columns[1] == genre)
    #expect(parsed.columns[2] == SchemaColumn(name: "TITLE", type: .string, isNullable: true, isItemName: true))
}

private let refusals: [(String, Domain?, String?, String)] = [
    (schema("Interactions", [user, time].joined(separator: ",")), nil, "ITEM_ID", "is required in a schema of Interactions"),
    (
        schema("Interactions", [user, item, #"{"name":"TIMESTAMP","type":"string"}"#].joined(separator: ",")), nil, "TIMESTAMP",
        "is reserved and must be of type long"
    ),
    (
        schema("Interactions", [#"{"name":"USER_ID","type":["string","null"]}"#, item, time].joined(separator: ",")), nil, "USER_ID",
        "is required and may not be null"
    ),
    (
        schema("Interactions", [user, item, time, #"{"name":"EVENT_TYPE","type":"string","categorical":true}"#].joined(separator: ",")),
        nil, "EVENT_TYPE", "is reserved and may not be categorical"
    ),
    (
        schema("Interactions", [user, item, time].joined(separator: ",")), .ecommerce, "EVENT_TYPE",
        "is required in a schema of Interactions"
    ),
    (
        schema("Interactions", ([user, item, time] + (1...6).map { #"{"name":"X\#($0)","type":"int"}"# }).joined(separator: ",")), nil, nil,
        "has 6 metadata fields, at most 5 are allowed in Interactions"
    ),
    (schema("Items", item), nil, nil, "needs at least one metadata field beside the id"),
    (
        schema(
            "Items",
            [item, #"{"name":"A","type":"string","textual":true}"#, #"{"name":"B","type":"string","textual":true}"#].joined(separator: ",")),
        nil, "B", "only one field of a schema may be textual"
    ),
    (
        schema("Users", [user, #"{"name":"A","type":"string","textual":true}"#].joined(separator: ",")), nil, "A",
        "only a schema of Items may have a textual field"
    ),
    (
        schema("Users", [user, #"{"name":"A","type":"long","categorical":true}"#].joined(separator: ",")), nil, "A",
        "only a string may be categorical"
    ),
    (
        schema("Users", [user, #"{"name":"A","type":"string","categorical":"yes"}"#].joined(separator: ",")), nil, "A",
        "categorical must be true or false"
    ),
    (
        schema(
            "Items",
            [item, #"{"name":"GENRES_FIELD_1","type":"string"}"#, #"{"name":"GENRESFIELD1","type":"string"}"#].joined(separator: ",")), nil,
        "GENRESFIELD1", "is the same as GENRES_FIELD_1 after removing underscores"
    ),
    (schema("Items", [item, genres, genres].joined(separator: ",")), nil, "GENRES", "occurs twice"),
    (
        schema("Items", [item, #"{"name":"A B","type":"string"}"#].joined(separator: ",")), nil, "A B",
        "a name has 1 to 256 letters, digits and underscores"
    ),
    (
        schema("Items", [item, #"{"name":"A","type":"bytes"}"#].joined(separator: ",")), nil, "A",
        "type \"bytes\" is not one of string, int, long, float, double, boolean, null"
    ),
    (
        schema("Items", [item, #"{"name":"A","type":{"type":"array","items":"string"}}"#].joined(separator: ",")), nil, "A",
        "nested types are not allowed"
    ),
    (
        schema("Items", [item, #"{"name":"A","type":["string","long"]}"#].joined(separator: ",")), nil, "A",
        "a list of types holds one type and null"
    ),
    (
        schema("Items", [item, #"{"name":"A","type":["null"]}"#].joined(separator: ",")), nil, "A",
        "a list of types holds one type and null"
    ),
    (
        schema("Items", [item, #"{"name":"A","type":[]}"#].joined(separator: ",")), nil, "A",
        "type must be a type's name or a list of a type's name and null"
    ),
    (
        schema("Items", [item, #"{"name":"PRICE","type":"float"}"#, #"{"name":"CATEGORY_L1","type":"string"}"#].joined(separator: ",")),
        .ecommerce, "CATEGORY_L1", "is reserved and must be categorical"
    ),
    (
        schema("Items", [item, #"{"name":"CREATION_TIMESTAMP","type":["long","null"]}"#, genres].joined(separator: ",")), .videoOnDemand,
        "CREATION_TIMESTAMP", "is required and may not be null"
    ),
    (schema("Films", item), nil, nil, "name \"Films\" is not one of Interactions, Items, Users, Actions, ActionInteractions"),
    (#"{"type":"array"}"#, nil, nil, "type must be \"record\""),
    ("[]", nil, nil, "must be a JSON object"),
    (schema("Items", item) + String(repeating: " ", count: 20_000), nil, nil, "has more than 20000 characters"),
]

@Test(arguments: refusals) func `a schema that breaks a rule is refused with field and rule`(
    text: String, domain: Domain?, field: String?, reason: String
) {
    #expect(throws: SchemaError.self) { try AvroSchema(parsing: text, domain: domain) }
    do throws(SchemaError) { _ = try AvroSchema(parsing: text, domain: domain) } catch {
        #expect(error.field == field)
        #expect(error.reason == reason)
    }
}

@Test func `a schema of another kind than asked for is refused`() {
    #expect(throws: SchemaError.self) { try AvroSchema(parsing: schema("Items", [item, genres].joined(separator: ",")), kind: .users) }
}

@Test func `a dataset type is known by its record name and by its API name`() {
    #expect(DatasetKind(name: "Action_Interactions") == .actionInteractions)
    #expect(DatasetKind(name: "INTERACTIONS") == .interactions)
    #expect(DatasetKind(name: "Films") == nil)
}
