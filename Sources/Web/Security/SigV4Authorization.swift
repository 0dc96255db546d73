/// The Authorization header of Signature Version 4, taken apart:
/// `AWS4-HMAC-SHA256 Credential=ID/20150830/us-east-1/personalize/aws4_request, SignedHeaders=host;x-amz-date, Signature=hex`.
struct SigV4Authorization {
    var accessKeyID: String
    /// `yyyymmdd`.
    var date: [UInt8]
    var region: String
    var service: [UInt8]
    /// Lower-case names in the order they were signed.
    var signedHeaders: [[UInt8]]
    var signedHeadersText: [UInt8]
    /// 64 hexadecimal digits.
    var signature: [UInt8]

    static let algorithm = Array("AWS4-HMAC-SHA256".utf8)

    init(parsing header: UnsafeBufferPointer<UInt8>) throws(SigV4Error) {
        guard header.count <= 4096 else { throw .incompleteSignature("The Authorization header is longer than 4096 bytes.") }
        guard header.starts(with: Self.algorithm), header.count > Self.algorithm.count, header[Self.algorithm.count] == 0x20 else {
            throw .incompleteSignature("The Authorization header must start with AWS4-HMAC-SHA256.")
        }
        var credential: [UInt8]?
        var headers: [UInt8]?
        var signature: [UInt8]?
        for part in header[(Self.algorithm.count + 1)...].split(separator: UInt8(ascii: ",")) {
            let part = part.drop { $0 == 0x20 }
            let name = part.prefix { $0 != UInt8(ascii: "=") }
            let value = Array(part.dropFirst(name.count + 1))
            if name.elementsEqual("Credential".utf8), credential == nil {
                credential = value
            } else if name.elementsEqual("SignedHeaders".utf8), headers == nil {
                headers = value
            } else if name.elementsEqual("Signature".utf8), signature == nil {
                signature = value
            } else {
                throw .incompleteSignature("The Authorization header has an unknown or doubled part.")
            }
        }
        guard let credential, let headers, let signature else {
            throw .incompleteSignature("The Authorization header must name Credential, SignedHeaders and Signature.")
        }
        self.signature = signature
        signedHeadersText = headers
        signedHeaders = headers.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(Array.init)
        // The key id itself may hold slashes in other systems; the scope is always the last four parts.
        let scope = credential.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard scope.count == 5, scope[4].elementsEqual("aws4_request".utf8), scope[1].count == 8, !scope[0].isEmpty, !scope[2].isEmpty,
            scope[2].count <= 64, scope[2].allSatisfy({ PercentCoding.isUnreserved($0) })
        else { throw .incompleteSignature("Credential must be key/date/region/service/aws4_request.") }
        accessKeyID = String(decoding: scope[0], as: UTF8.self)
        date = Array(scope[1])
        region = String(decoding: scope[2], as: UTF8.self)
        service = Array(scope[3])
        try checkShape()
    }

    private func checkShape() throws(SigV4Error) {
        guard signature.count == 64 else { throw .incompleteSignature("The signature must have 64 hexadecimal digits.") }
        guard signedHeaders.count <= 100, signedHeaders.allSatisfy({ !$0.isEmpty && $0.allSatisfy(Self.isHeaderName) }) else {
            throw .incompleteSignature("SignedHeaders must be lower-case names separated by semicolons.")
        }
        let sorted = zip(signedHeaders, signedHeaders.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) }
        guard sorted else { throw .incompleteSignature("SignedHeaders must be sorted, each name once.") }
    }

    /// An underscore would be read as a hyphen by CGI, so that another header would be verified than was signed.
    private static func isHeaderName(_ byte: UInt8) -> Bool {
        byte != UInt8(ascii: "_") && PercentCoding.isUnreserved(byte) && !(65...90).contains(byte)
    }
}
