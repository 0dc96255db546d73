import Crypto
import Foundation
import JSON
import Testing

@testable import Web

/// Requests signed by botocore itself; the file names its version.
struct SignedCase: Sendable, CustomTestStringConvertible {
    var method: Method
    var target: String
    var headers: [(String, String)]
    var body: [UInt8]
    var secret: String
    var accessKey: String
    var region: String
    var time: Int

    var testDescription: String { "\(method.rawValue) \(target)" }

    static let all: [SignedCase] = {
        guard let url = Bundle.module.url(forResource: "sigv4-botocore", withExtension: "json", subdirectory: "Resources"),
            let data = try? Data(contentsOf: url), let document = try? JSONValue(parsing: Array(data))
        else { return [] }
        return (document["cases"]?.arrayValue ?? []).compactMap { SignedCase($0) }
    }()

    init?(_ value: JSONValue) {
        guard let method = value["method"]?.stringValue.flatMap(Method.init(rawValue:)), let target = value["target"]?.stringValue,
            let body = value["body"]?.stringValue.flatMap(Hex.decode), let secret = value["secret"]?.stringValue,
            let accessKey = value["accessKey"]?.stringValue, let region = value["region"]?.stringValue, let time = value["time"]?.intValue
        else { return nil }
        self.method = method
        self.target = target
        headers = (value["headers"]?.arrayValue ?? []).compactMap { pair in
            guard let parts = pair.arrayValue, let name = parts[0].stringValue, let value = parts[1].stringValue else { return nil }
            return (name, value)
        }
        self.body = body
        self.secret = secret
        self.accessKey = accessKey
        self.region = region
        self.time = Int(time)
    }

    func verify(with verifier: SigV4 = SigV4(), offset: Int = 0) throws -> SigV4.Verified {
        let request = try Request(method, target, headers: headers, body: body)
        return try verifier.verify(request, now: time + offset) { id in
            id == accessKey ? .init(secretID: Array(id.utf8), secret: Array(secret.utf8)) : nil
        }
    }

    mutating func change(_ name: String, _ transform: (String) -> String) {
        for index in headers.indices where headers[index].0.lowercased() == name { headers[index].1 = transform(headers[index].1) }
    }

    mutating func remove(_ name: String) {
        headers.removeAll { $0.0.lowercased() == name }
    }
}

struct SigV4Tests {
    @Test func `the table of signed requests is there`() {
        #expect(SignedCase.all.count == 240)
    }

    @Test(arguments: SignedCase.all)
    func `what botocore signed is accepted`(signed: SignedCase) throws {
        #expect(try signed.verify() == .init(accessKeyID: signed.accessKey, region: signed.region))
    }

    @Test func `one verifier with cached keys accepts all of them twice`() throws {
        let verifier = SigV4(cachedKeys: 16)
        for _ in 0..<2 {
            for signed in SignedCase.all { _ = try signed.verify(with: verifier) }
        }
    }

    @Test(arguments: SignedCase.all.prefix(60))
    func `any change to what is signed is refused`(signed: SignedCase) {
        var changed = signed
        changed.body.append(0x20)
        #expect(throws: SigV4Error.self) { try changed.verify() }
        changed = signed
        changed.target = signed.target.contains("?") ? signed.target + "&zz=1" : signed.target + "?zz=1"
        #expect(throws: SigV4Error.self) { try changed.verify() }
        changed = signed
        changed.target = "/zz" + signed.target
        #expect(throws: SigV4Error.self) { try changed.verify() }
        changed = signed
        changed.change("host") { "x" + $0 }
        #expect(throws: SigV4Error.self) { try changed.verify() }
        changed = signed
        changed.change("content-type") { $0 + "x" }
        #expect(throws: SigV4Error.self) { try changed.verify() }
        changed = signed
        changed.secret += "x"
        #expect(throws: SigV4Error.self) { try changed.verify() }
    }

    private static func first() throws -> SignedCase {
        try #require(SignedCase.all.first { $0.method == .post && !$0.headers.contains { $0.0 == "X-Amz-Security-Token" } })
    }

    private static func code(of signed: SignedCase, offset: Int = 0) throws -> String {
        do {
            _ = try signed.verify(offset: offset)
            return "accepted"
        } catch let error as SigV4Error {
            return error.code
        }
    }

    @Test(arguments: [(-901, "RequestExpired"), (-900, "accepted"), (900, "accepted"), (901, "RequestExpired")])
    func `a clock is tolerated within fifteen minutes`(offset: Int, code: String) throws {
        #expect(try Self.code(of: Self.first(), offset: offset) == code)
    }

    @Test func `an unknown key has its own code, also with a signature that could not match`() throws {
        var signed = try Self.first()
        signed.accessKey = "AKIANOBODY"
        #expect(try Self.code(of: signed) == "UnrecognizedClientException")
    }

    @Test func `a request without authorization or date asks for a token`() throws {
        var signed = try Self.first()
        signed.remove("authorization")
        #expect(try Self.code(of: signed) == "MissingAuthenticationTokenException")
        signed = try Self.first()
        signed.remove("x-amz-date")
        #expect(try Self.code(of: signed) == "MissingAuthenticationTokenException")
    }

    @Test(arguments: [
        "Bearer x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature=", "AWS4-HMAC-SHA256 Credential=a,Credential=b",
        "AWS4-ECDSA-P256-SHA256 Credential=x",
    ])
    func `an authorization of another form is incomplete`(header: String) throws {
        var signed = try Self.first()
        signed.change("authorization") { _ in header }
        #expect(try Self.code(of: signed) == "IncompleteSignature")
    }

    @Test(arguments: [("host;", ""), ("x-amz-date", "x_amz_date"), ("host", "Host"), ("content-type;host", "host;content-type")])
    func `signed headers that leave out, rename or reorder are incomplete`(old: String, new: String) throws {
        var signed = try Self.first()
        signed.change("authorization") { header in
            guard let range = header.range(of: "SignedHeaders="),
                let found = header.range(of: old, range: range.upperBound..<header.endIndex)
            else { return header }
            return header.replacingCharacters(in: found, with: new)
        }
        #expect(try Self.code(of: signed) == "IncompleteSignature")
    }

    @Test func `an amz header that is present must be signed`() throws {
        var signed = try Self.first()
        signed.remove("x-amz-target")
        signed.headers.append(("X-Amz-Target", "AmazonPersonalize.DeleteCampaign"))
        signed.change("authorization") { $0.replacing(";x-amz-target", with: "") }
        #expect(try Self.code(of: signed) == "IncompleteSignature")
    }

    @Test(arguments: ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"])
    func `payloads that are not signed are never taken`(claim: String) throws {
        var signed = try Self.first()
        signed.headers.append(("X-Amz-Content-Sha256", claim))
        signed.change("authorization") { $0.replacing("host;", with: "host;x-amz-content-sha256;") }
        #expect(try Self.code(of: signed) == "AccessDeniedException")
    }

    @Test func `a claimed hash of another body is refused`() throws {
        var signed = try Self.first()
        signed.headers.append(("X-Amz-Content-Sha256", Hex.encode(SHA256.hash("other"))))
        signed.change("authorization") { $0.replacing("host;", with: "host;x-amz-content-sha256;") }
        #expect(try Self.code(of: signed) == "InvalidSignatureException")
    }

    @Test(arguments: ["X-Amz-Signature=00", "a=b&X-Amz-Credential=x", "%58-Amz-Algorithm=x", "AWSAccessKeyId=x"])
    func `credentials in the query are never taken`(query: String) throws {
        var signed = try Self.first()
        signed.target = "/?" + query
        #expect(try Self.code(of: signed) == "AccessDeniedException")
    }

    @Test func `a signature for another service is refused`() throws {
        var signed = try Self.first()
        signed.change("authorization") { $0.replacing("/personalize/", with: "/s3/") }
        #expect(try Self.code(of: signed) == "AccessDeniedException")
    }

    @Test func `every single-byte change of an authorization header is refused`() throws {
        let signed = try Self.first()
        let header = try #require(signed.headers.first { $0.0 == "Authorization" }).1
        let bytes = Array(header.utf8)
        for index in bytes.indices {
            var changed = bytes
            changed[index] = changed[index] == 0x7A ? 0x79 : 0x7A
            var other = signed
            other.change("authorization") { _ in String(decoding: changed, as: UTF8.self) }
            #expect(throws: SigV4Error.self, "byte \(index)") { try other.verify() }
        }
    }

    @Test(arguments: [
        ("19700101T000000Z", 0), ("20000229T235959Z", 951_868_799), ("20260102T030405Z", 1_767_323_045),
        ("20991231T000000Z", 4_102_358_400),
    ])
    func `timestamps are seconds since 1970`(text: String, seconds: Int) {
        #expect(Array(text.utf8).withUnsafeBufferPointer { SigV4Timestamp.seconds($0) } == seconds)
    }
}
