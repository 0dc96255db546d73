import Crypto
import Foundation

/// Signs requests to S3 with Signature Version 4: the payload's hash stands in a header and in the signature, and the path is encoded once.
struct S3Signature {
    let endpoint: S3Endpoint

    /// The headers to send. `query` is sorted and encoded here and by `S3Encoding.query` alike.
    func headers(
        method: String, path: String, query: [(String, String)], extra: [(name: String, value: String)], payloadHash: String,
        at moment: Date
    ) -> [(name: String, value: String)] {
        let stamp = Self.stamp(moment)
        let day = String(stamp.prefix(8))
        var signed = [("host", endpoint.host), ("x-amz-content-sha256", payloadHash), ("x-amz-date", stamp)]
        if let token = endpoint.sessionToken { signed.append(("x-amz-security-token", token)) }
        signed += extra.filter { $0.name.lowercased().hasPrefix("x-amz-") }.map { ($0.name.lowercased(), $0.value) }
        signed.sort { $0.0 < $1.0 }
        let names = signed.map(\.0).joined(separator: ";")
        let canonical = [
            method, path, S3Encoding.query(query), signed.map { "\($0.0):\($0.1)\n" }.joined(), names, payloadHash,
        ].joined(separator: "\n")
        let scope = "\(day)/\(endpoint.region)/s3/aws4_request"
        let toSign = "AWS4-HMAC-SHA256\n\(stamp)\n\(scope)\n\(Hex.encode(SHA256.hash(canonical)))"
        var key = Array("AWS4\(endpoint.secretKey)".utf8)
        for part in [day, endpoint.region, "s3", "aws4_request"] { key = HMACSHA256.authenticate(part, key: key) }
        let signature = Hex.encode(HMACSHA256.authenticate(toSign, key: key))
        let authorization = "AWS4-HMAC-SHA256 Credential=\(endpoint.accessKey)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
        var headers: [(name: String, value: String)] = signed.filter { $0.0 != "host" }.map { (name: $0.0, value: $0.1) }
        headers += extra.filter { !$0.name.lowercased().hasPrefix("x-amz-") }
        headers.append((name: "Authorization", value: authorization))
        return headers
    }

    /// `20261121T104657Z`
    private static func stamp(_ moment: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: moment)
        func digits(_ value: Int?, _ width: Int) -> String {
            let text = String(value ?? 0)
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        return digits(parts.year, 4) + digits(parts.month, 2) + digits(parts.day, 2) + "T" + digits(parts.hour, 2)
            + digits(parts.minute, 2) + digits(parts.second, 2) + "Z"
    }
}

/// Percent-encoding as the signature wants it: all but letters, digits and `-._~`.
enum S3Encoding {
    static func encode(_ text: String, keepingSlashes: Bool = false) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                bytes.append(byte)
            case UInt8(ascii: "/") where keepingSlashes: bytes.append(byte)
            default: bytes += Array("%".utf8) + Hex.encode([byte]).uppercased().utf8
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func query(_ items: [(String, String)]) -> String {
        items.map { "\(encode($0.0))=\(encode($0.1))" }.sorted().joined(separator: "&")
    }

    /// Keys in a listing are form-encoded: `+` stands for a blank. nil for what is no UTF-8.
    static func decode(_ text: String) -> String? {
        var bytes: [UInt8] = []
        let encoded = Array(text.utf8)
        var index = 0
        while index < encoded.count {
            if encoded[index] == UInt8(ascii: "%"), index + 2 < encoded.count, let pair = Hex.decode(Array(encoded[index + 1...index + 2]))
            {
                bytes += pair
                index += 3
            } else {
                bytes.append(encoded[index] == UInt8(ascii: "+") ? 0x20 : encoded[index])
                index += 1
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
