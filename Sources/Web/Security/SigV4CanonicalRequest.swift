/// The text whose hash is signed, made from the request as it came.
struct SigV4CanonicalRequest {
    private(set) var bytes: [UInt8] = []

    init(_ request: Request, authorization: SigV4Authorization, payloadHash: [UInt8]) throws(SigV4Error) {
        bytes.reserveCapacity(512)
        bytes += request.method.rawValue.utf8
        bytes.append(0x0A)
        appendPath(request.rawPath)
        bytes.append(0x0A)
        appendQuery(request.rawQuery)
        bytes.append(0x0A)
        for name in authorization.signedHeaders {
            guard let value = request.headerBytes(named: name) else {
                throw .invalidSignature("The signed header '\(String(decoding: name, as: UTF8.self))' is not in the request.")
            }
            bytes += name
            bytes.append(UInt8(ascii: ":"))
            appendTrimmed(value)
            bytes.append(0x0A)
        }
        bytes.append(0x0A)
        bytes += authorization.signedHeadersText
        bytes.append(0x0A)
        bytes += payloadHash
    }

    /// The path as sent, with empty and dot segments removed, then encoded once more: `%2F` is signed as `%252F`.
    private mutating func appendPath(_ path: ArraySlice<UInt8>) {
        var segments: [ArraySlice<UInt8>] = []
        for segment in path.split(separator: UInt8(ascii: "/")) {
            if segment.elementsEqual(".".utf8) { continue }
            if segment.elementsEqual("..".utf8) {
                _ = segments.popLast()
            } else {
                segments.append(segment)
            }
        }
        for segment in segments {
            bytes.append(UInt8(ascii: "/"))
            for byte in segment { PercentCoding.append(byte, to: &bytes) }
        }
        if segments.isEmpty || path.last == UInt8(ascii: "/") { bytes.append(UInt8(ascii: "/")) }
    }

    /// Pairs as sent, sorted by name and then by value.
    private mutating func appendQuery(_ query: ArraySlice<UInt8>) {
        guard !query.isEmpty else { return }
        let pairs = query.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false).map { pair in
            let name = pair.prefix { $0 != UInt8(ascii: "=") }
            return (name: name, value: pair.dropFirst(name.count + 1))
        }
        let sorted = pairs.sorted { first, second in
            first.name.elementsEqual(second.name)
                ? first.value.lexicographicallyPrecedes(second.value) : first.name.lexicographicallyPrecedes(second.name)
        }
        for (index, pair) in sorted.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "&")) }
            bytes += pair.name
            bytes.append(UInt8(ascii: "="))
            bytes += pair.value
        }
    }

    /// Without white space around it, and with each run inside as one space.
    private mutating func appendTrimmed(_ value: UnsafeBufferPointer<UInt8>) {
        var isFirst = true
        for word in value.split(whereSeparator: { $0 == 0x20 || (9...13).contains($0) }) {
            if !isFirst { bytes.append(0x20) }
            bytes += word
            isFirst = false
        }
    }
}
