import API
import JSON
import Support
import Tastemaker
import Testing
import Web

struct AuthenticationTests {
    let client: SignedClient

    init() throws { client = try SignedClient() }

    private static let target = [("X-Amz-Target", "AmazonPersonalize.ListSchemas"), ("Content-Type", "application/x-amz-json-1.1")]

    @Test func `a signed call is answered in the signature's region`() throws {
        let answer = try client.call("CreateDatasetGroup", #"{"name":"shop"}"#)
        #expect(answer.text == #"{"datasetGroupArn":"arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop"}"#)
        #expect(answer.status == 200)
        #expect(answer.response.header("Content-Type") == "application/x-amz-json-1.1")
    }

    @Test(arguments: ["/", "/aws", "/aws/"])
    func `an endpoint URL may carry a path`(path: String) throws {
        #expect(try client.call("ListSchemas", path: path).text == #"{"schemas":[]}"#)
    }

    @Test func `an empty body is an empty object`() throws {
        #expect(try client.call("ListSchemas", "").text == #"{"schemas":[]}"#)
    }

    @Test func `an unsigned call is refused`() throws {
        let answer = try client.answer(Request(.post, "/", headers: Self.target, body: Array("{}".utf8)))
        #expect(answer.status == 400)
        #expect(answer.json["__type"] == "MissingAuthenticationTokenException")
        #expect(answer.response.header("x-amzn-ErrorType") == "MissingAuthenticationTokenException")
    }

    @Test func `a wrong secret is refused and audited`() throws {
        let answer = try client.send("/", headers: Self.target, body: "{}", key: (client.key.key.id, "wrong"))
        #expect(answer.json["__type"] == "InvalidSignatureException")
        #expect(try client.environment.listAudit(datasetGroupID: nil).first?.errorCode == "InvalidSignatureException")
    }

    @Test func `an unknown key is refused`() throws {
        #expect(
            try client.send("/", headers: Self.target, body: "{}", key: ("TMAKNOBODY", "x")).json["__type"] == "UnrecognizedClientException"
        )
    }

    @Test(arguments: [-901.0, 901.0])
    func `a clock more than a quarter of an hour away is refused`(skew: Double) throws {
        #expect(try client.send("/", headers: Self.target, body: "{}", skew: skew).json["__type"] == "RequestExpired")
    }

    @Test func `a disabled key ends within seconds`() throws {
        #expect(try client.call("ListSchemas").status == 200)
        try client.environment.disableAccessKey(id: client.key.key.id, by: .system)
        client.clock.advance(seconds: 6)
        #expect(try client.call("ListSchemas").json["__type"] == "UnrecognizedClientException")
    }

    @Test func `the use of a key is noted`() throws {
        _ = try client.call("ListSchemas")
        #expect(try client.environment.listAccessKeys(by: .system).first?.lastUsedAt == client.clock.now)
    }

    @Test func `a key bound to a group may not make another, and both denials are audited`() throws {
        try client.makeShop()
        let other = try client.environment.createDatasetGroup(CreateDatasetGroupInput(name: "other"), by: .system)
        let bound = try client.environment.createAccessKey(name: "bound", datasetGroupID: other.id, by: .system)
        func send(_ operation: String, _ body: String) throws -> JSONValue? {
            try client.send(
                "/", headers: [("X-Amz-Target", "AmazonPersonalize.\(operation)")], body: body, key: (bound.key.id, bound.secret)
            ).json["__type"]
        }
        #expect(try send("CreateDatasetGroup", #"{"name":"mine"}"#) == "AccessDeniedException")
        #expect(try send("DescribeSolution", #"{"solutionArn":"\#(client.arn("solution/sol"))"}"#) == "ResourceNotFoundException")
        let denied = try client.environment.listAudit(datasetGroupID: other.id).filter { $0.errorCode != nil }
        #expect(denied.map(\.action) == ["DescribeSolution", "CreateDatasetGroup"])
    }
}
