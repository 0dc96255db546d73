import Crypto

/// Verifies AWS Signature Version 4 in its header form, by the rules botocore signs by for services other than S3.
///
/// Refuses by default: the body is always hashed here whatever the client says of it, unsigned and streaming payloads
/// and query credentials are never taken. A session token is signed like any header and otherwise ignored.
public struct SigV4: Sendable {
    /// What the owner of the keys knows of one access key.
    public struct SigningKeySource: Sendable {
        /// Changes when the secret does, so that a derived key is not used past its secret: a row's id and revision.
        public var secretID: [UInt8]
        public var secret: [UInt8]

        public init(secretID: [UInt8], secret: [UInt8]) {
            self.secretID = secretID
            self.secret = secret
        }
    }

    /// Who signed, and for which region.
    public struct Verified: Sendable, Equatable {
        public var accessKeyID: String
        public var region: String
    }

    /// Clock difference that is tolerated, in seconds.
    public static let tolerance = 900

    private let service: [UInt8]
    private let cache: SigningKeyCache

    /// `service` must stand in the scope. At most `cachedKeys` derived keys are kept.
    public init(service: String = "personalize", cachedKeys: Int = 1024) {
        self.service = Array(service.utf8)
        cache = SigningKeyCache(limit: cachedKeys)
    }

    /// `now` in seconds since 1970. `keyLookup` gives nil for an unknown id; the answer to that takes as long as a wrong
    /// signature does, save for the look-up itself.
    public func verify(
        _ request: Request, now: Int, keyLookup: (_ accessKeyID: String) -> SigningKeySource?
    ) throws(SigV4Error) -> Verified {
        try Self.refuseQueryCredentials(request)
        guard let header = request.headerBytes("Authorization"), !header.isEmpty else {
            throw .missingAuthenticationToken("The request has no Authorization header.")
        }
        let authorization = try SigV4Authorization(parsing: header)
        guard authorization.service == service else {
            throw .accessDenied("Credential is scoped to another service than \(String(decoding: service, as: UTF8.self)).")
        }
        let timestamp = try Self.timestamp(of: request, scope: authorization, now: now)
        try Self.checkSignedHeaders(authorization, request)
        let canonical = try SigV4CanonicalRequest(request, authorization: authorization, payloadHash: Self.payloadHash(request))
        let known = keyLookup(authorization.accessKeyID)
        let source = known ?? SigningKeySource(secretID: Array("unknown".utf8), secret: Array("unknown".utf8))
        let key = cache.key(
            secretID: source.secretID, secret: source.secret, date: authorization.date, region: Array(authorization.region.utf8),
            service: service)
        let expected = Hex.encodedBytes(key.authenticate(Self.stringToSign(canonical, authorization, timestamp)))
        let matches = ConstantTime.equal(expected, authorization.signature)
        guard known != nil else { throw .unrecognizedClient }
        guard matches else {
            throw .invalidSignature(
                "The request signature we calculated does not match the signature you provided. "
                    + "Check your secret access key and signing method.")
        }
        return Verified(accessKeyID: authorization.accessKeyID, region: authorization.region)
    }

    private static func refuseQueryCredentials(_ request: Request) throws(SigV4Error) {
        guard !request.rawQuery.isEmpty else { return }
        let names = request.rawQuery.split(separator: UInt8(ascii: "&")).map { pair in
            String(decoding: PercentCoding.decode(pair.prefix { $0 != UInt8(ascii: "=") }) ?? [], as: UTF8.self).lowercased()
        }
        if names.contains(where: { $0.hasPrefix("x-amz-") || $0 == "awsaccesskeyid" }) {
            throw .accessDenied("Credentials in the query string are not accepted.")
        }
    }

    /// The hash of the body as it came. A client's own claim about it must agree and be a hash.
    private static func payloadHash(_ request: Request) throws(SigV4Error) -> [UInt8] {
        let hash = Hex.encodedBytes(SHA256.hash(request.body))
        guard let claim = request.headerBytes("X-Amz-Content-Sha256") else { return hash }
        if claim.starts(with: "UNSIGNED-PAYLOAD".utf8) || claim.starts(with: "STREAMING-".utf8) {
            throw .accessDenied("Unsigned and streaming payloads are not accepted.")
        }
        guard claim.elementsEqual(hash) else {
            throw .invalidSignature("X-Amz-Content-Sha256 is not the SHA-256 of the body.")
        }
        return hash
    }

    private static func checkSignedHeaders(_ authorization: SigV4Authorization, _ request: Request) throws(SigV4Error) {
        for required in ["host", "x-amz-date", "x-amz-target", "x-amz-security-token", "x-amz-content-sha256"] {
            let name = Array(required.utf8)
            let isSigned = authorization.signedHeaders.contains(name)
            if !isSigned, required == "host" || request.headerBytes(named: name) != nil {
                throw .incompleteSignature("The header '\(required)' must be signed.")
            }
        }
    }

    private static func timestamp(
        of request: Request, scope: SigV4Authorization, now: Int
    ) throws(SigV4Error) -> [UInt8] {
        guard let date = request.headerBytes("X-Amz-Date") else {
            throw .missingAuthenticationToken("The request has no X-Amz-Date header.")
        }
        guard let seconds = SigV4Timestamp.seconds(date) else {
            throw .incompleteSignature("X-Amz-Date must have the form 20150830T123600Z.")
        }
        guard date.prefix(8).elementsEqual(scope.date) else {
            throw .invalidSignature("The date of the credential scope is not that of X-Amz-Date.")
        }
        guard abs(seconds - now) <= tolerance else {
            throw .requestExpired("The request was signed more than \(tolerance / 60) minutes away from the server's time.")
        }
        return Array(date)
    }

    private static func stringToSign(
        _ canonical: SigV4CanonicalRequest, _ authorization: SigV4Authorization, _ timestamp: [UInt8]
    ) -> [UInt8] {
        var text = SigV4Authorization.algorithm
        text.reserveCapacity(192)
        text.append(0x0A)
        text += timestamp
        text.append(0x0A)
        text += authorization.date
        text.append(0x2F)
        text += authorization.region.utf8
        text.append(0x2F)
        text += authorization.service
        text += "/aws4_request\n".utf8
        text += Hex.encodedBytes(SHA256.hash(canonical.bytes))
        return text
    }
}

/// The basic ISO 8601 form that signatures carry.
enum SigV4Timestamp {
    /// Seconds since 1970 of `yyyymmddThhmmssZ`. Nil for another form or a date that does not exist.
    static func seconds(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard text.count == 16, text[8] == UInt8(ascii: "T"), text[15] == UInt8(ascii: "Z"),
            let year = number(text[0..<4]), let month = number(text[4..<6]), let day = number(text[6..<8]),
            let hour = number(text[9..<11]), let minute = number(text[11..<13]), let second = number(text[13..<15]),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        return daysSince1970(year: year, month: month, day: day) * 86400 + hour * 3600 + minute * 60 + second
    }

    private static func number(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
        var value = 0
        for digit in digits {
            guard (48...57).contains(digit) else { return nil }
            value = value * 10 + Int(digit - 48)
        }
        return value
    }

    /// Days of the proleptic Gregorian calendar, with years that begin in March so that the leap day is the last one.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }
}
