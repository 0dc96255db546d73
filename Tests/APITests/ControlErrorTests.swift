import JSON
import Support
import Testing
import Web

/// Errors of the control plane as they stand on the wire.
struct ControlErrorTests {
    let client: SignedClient

    init() throws { client = try SignedClient() }

    @Test(arguments: [
        ("CreateDatasetGroup", "{", "SerializationException"), ("CreateDatasetGroup", "[]", "SerializationException"),
        ("CreateDatasetGroup", #"{"name":"a","extra":{"x":["\u0000"]}}"#, "SerializationException"),
        ("CreateDatasetGroup", "{}", "InvalidInputException"), ("CreateDatasetGroup", #"{"name":7}"#, "InvalidInputException"),
        ("CreateDatasetGroup", #"{"name":"-x"}"#, "InvalidInputException"),
        ("CreateDatasetGroup", #"{"name":"x","domain":"GARDEN"}"#, "InvalidInputException"),
        ("CreateDatasetGroup", #"{"name":"x","roleArn":"me"}"#, "InvalidInputException"),
        ("ListDatasetGroups", #"{"maxResults":1000}"#, "InvalidInputException"),
        ("ListDatasetGroups", #"{"nextToken":"abc"}"#, "InvalidNextTokenException"),
        ("DescribeDatasetGroup", #"{"datasetGroupArn":"nope"}"#, "InvalidInputException"),
        ("DescribeCampaign", #"{"campaignArn":"arn:aws:personalize:us-east-1:1:campaign/x"}"#, "ResourceNotFoundException"),
        ("DescribeCampaign", #"{"campaignArn":"arn:aws:personalize:us-east-1:1:filter/x"}"#, "ResourceNotFoundException"),
        ("DescribeRecipe", #"{"recipeArn":"arn:aws:personalize:::recipe/aws-crystal-ball"}"#, "ResourceNotFoundException"),
        ("CreateBatchInferenceJob", "{}", "UnknownOperationException"), ("MakeTea", "{}", "UnknownOperationException"),
        ("TagResource", #"{"resourceArn":"arn:aws:personalize:us-east-1:1:campaign/x"}"#, "InvalidInputException"),
    ])
    func `a refusal is a 400 with its code in body and header`(operation: String, body: String, code: String) throws {
        let answer = try client.call(operation, body)
        #expect(answer.status == 400)
        #expect(answer.json["__type"]?.stringValue == code)
        #expect(answer.response.header("x-amzn-ErrorType") == code)
        #expect(answer.json["message"]?.stringValue?.isEmpty == false)
    }

    @Test func `the message of a limit names the member and the rule`() throws {
        #expect(
            try client.call("CreateDatasetGroup", #"{"name":"a b"}"#).json["message"]
                == #"1 validation error detected: Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9][a-zA-Z0-9\-_]*"#
        )
    }

    @Test func `a replayed create says exists and a blocked delete says in use`() throws {
        try client.makeShop()
        #expect(try client.call("CreateDatasetGroup", #"{"name":"shop"}"#).json["__type"] == "ResourceAlreadyExistsException")
        let answer = try client.call("DeleteDatasetGroup", #"{"datasetGroupArn":"\#(client.arn("dataset-group/shop"))"}"#)
        #expect(answer.json["__type"] == "ResourceInUseException")
        #expect(answer.status == 400)
    }

    @Test func `deep nesting is refused, not followed`() throws {
        let body = String(repeating: #"{"a":"#, count: 200) + "1" + String(repeating: "}", count: 200)
        #expect(try client.call("ListSchemas", body).json["__type"] == "SerializationException")
    }

    @Test func `unknown members are ignored`() throws {
        #expect(try client.call("ListSchemas", #"{"newMember":{"x":[1]}}"#).status == 200)
    }

    @Test func `more than fifty tags are too many`() throws {
        let tags = (1...51).map { #"{"tagKey":"k\#($0)","tagValue":""}"# }.joined(separator: ",")
        #expect(try client.call("CreateDatasetGroup", #"{"name":"shop","tags":[\#(tags)]}"#).json["__type"] == "TooManyTagsException")
        #expect(try client.call("ListDatasetGroups").text == #"{"datasetGroups":[]}"#)
    }
}
