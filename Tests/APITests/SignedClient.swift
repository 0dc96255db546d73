import API
import Crypto
import Foundation
import JSON
import Postgres
import Support
import Tastemaker
import Web

/// Signs requests as an SDK does and hands them to the API in process.
struct SignedClient {
    let database: TestDatabase
    let clock: TestClock
    let environment: Environment
    let server: APIServer
    let services: Services
    let key: NewAccessKey
    var region = "eu-west-1"

    init(clock: TestClock = TestClock()) throws {
        database = try TestDatabase.make()
        self.clock = clock
        environment = try Environment.test(database, clock: clock)
        key = try environment.createAccessKey(name: "test", by: .system)
        server = APIServer()
        services = Services(
            environment: environment, events: EventWriter(environment: environment),
            recommendations: RecommendationService(environment: environment))
    }

    /// A client of a shop that is there already.
    init(shop: ServedShop) throws {
        database = shop.database
        clock = shop.clock
        environment = shop.environment
        key = try environment.createAccessKey(name: "test", by: .system)
        server = APIServer()
        services = Services(
            environment: environment, events: EventWriter(environment: environment),
            recommendations: RecommendationService(environment: environment))
    }

    struct Answer {
        let status: Int
        let response: Response
        let json: JSONValue

        var text: String { String(decoding: response.body, as: UTF8.self) }
    }

    /// One control-plane call.
    func call(_ operation: String, _ body: String = "{}", path: String = "/") throws -> Answer {
        try send(
            path, headers: [("X-Amz-Target", "AmazonPersonalize.\(operation)"), ("Content-Type", "application/x-amz-json-1.1")], body: body)
    }

    func send(
        _ path: String, headers: [(String, String)], body: String, key given: (id: String, secret: String)? = nil, skew: Double = 0
    ) throws -> Answer {
        try send(path, headers: headers, bytes: Array(body.utf8), key: given, skew: skew)
    }

    func send(
        _ path: String, headers: [(String, String)], bytes body: [UInt8], key given: (id: String, secret: String)? = nil, skew: Double = 0
    ) throws -> Answer {
        let credentials = given ?? (key.key.id, key.secret)
        var headers = headers + [("Host", "127.0.0.1:8080"), ("X-Amz-Date", date(skew: skew))]
        headers.append(("Authorization", authorization(path, headers, body, credentials)))
        return try answer(Request(.post, path, headers: headers, body: body))
    }

    func answer(_ request: Request) throws -> Answer {
        var context = APIContext(services: services)
        let response = server.handle(request, &context).response
        return Answer(status: response.status.code, response: response, json: (try? JSONValue(parsing: response.body)) ?? .null)
    }

    private func date(skew: Double) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "yyyyMMdd'T'HHmmss'Z'"
        return formatter.string(from: Date(timeIntervalSince1970: clock.now.epochSeconds + skew))
    }

    /// AWS Signature Version 4 in its header form, over all given headers.
    private func authorization(
        _ path: String, _ headers: [(String, String)], _ body: [UInt8], _ credentials: (id: String, secret: String)
    ) -> String {
        let sorted = headers.map { ($0.0.lowercased(), $0.1) }.sorted { $0.0 < $1.0 }
        let names = sorted.map(\.0).joined(separator: ";")
        let canonical =
            ["POST", path, ""].joined(separator: "\n") + "\n" + sorted.map { "\($0.0):\($0.1)\n" }.joined() + "\n\(names)\n"
            + Hex.encode(SHA256.hash(body))
        let date = sorted.first { $0.0 == "x-amz-date" }?.1 ?? ""
        let scope = "\(date.prefix(8))/\(region)/personalize/aws4_request"
        let toSign = "AWS4-HMAC-SHA256\n\(date)\n\(scope)\n\(Hex.encode(SHA256.hash(canonical)))"
        var key = Array("AWS4\(credentials.secret)".utf8)
        for part in [String(date.prefix(8)), region, "personalize", "aws4_request"] { key = HMACSHA256.authenticate(part, key: key) }
        let signature = Hex.encode(HMACSHA256.authenticate(toSign, key: key))
        return "AWS4-HMAC-SHA256 Credential=\(credentials.id)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
    }

    // What most tests begin with.

    static let interactions =
        #"{\"type\":\"record\",\"name\":\"Interactions\",\"fields\":[{\"name\":\"USER_ID\",\"type\":\"string\"},{\"name\":\"ITEM_ID\",\"type\":\"string\"},{\"name\":\"EVENT_TYPE\",\"type\":\"string\"},{\"name\":\"TIMESTAMP\",\"type\":\"long\"}]}"#

    func arn(_ resource: String) -> String { "arn:aws:personalize:\(region):123456789012:\(resource)" }

    func makeShop() throws {
        _ = try call("CreateDatasetGroup", #"{"name":"shop"}"#)
        _ = try call("CreateSchema", #"{"name":"interactions","schema":"\#(SignedClient.interactions)"}"#)
        _ = try call(
            "CreateDataset",
            #"{"name":"events","schemaArn":"\#(arn("schema/interactions"))","datasetGroupArn":"\#(arn("dataset-group/shop"))","datasetType":"Interactions"}"#
        )
        _ = try call(
            "CreateSolution",
            #"{"name":"sol","datasetGroupArn":"\#(arn("dataset-group/shop"))","recipeArn":"arn:aws:personalize:::recipe/aws-user-personalization"}"#
        )
    }

    /// A trained version of `sol`; its ARN.
    func makeActiveVersion() throws -> String {
        let answer = try call("CreateSolutionVersion", #"{"solutionArn":"\#(arn("solution/sol"))"}"#)
        _ = try environment.change { connection in
            try connection.execute(
                "UPDATE solution_version SET status = 'ACTIVE', training_hours = 0.0123456, metrics = '{\"coverage\": 0.123456}'")
        }
        return answer.json["solutionVersionArn"]?.stringValue ?? ""
    }

    /// What the first training of a solution does that leaves its recipe to us.
    func choose(_ recipe: String, for solution: String) throws {
        _ = try environment.change { try $0.execute("UPDATE solution SET auto_ml_recipe = \(recipe) WHERE name = \(solution)") }
    }
}
