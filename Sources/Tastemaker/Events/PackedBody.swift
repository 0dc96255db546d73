import Storage

/// The body of a request that was packed on its way (`Content-Encoding`).
public enum PackedBody {
    /// - Parameters:
    ///   - encoding: as the header says; nil, empty or `identity` for a body as it is.
    ///   - limit: bytes that may come out.
    /// - Throws: `invalidInput` for another encoding, a damaged body, or one that unpacks to more than the limit.
    public static func unpack(_ body: [UInt8], encoding: String?, limit: Int) throws(OperationError) -> [UInt8] {
        switch encoding?.lowercased() {
        case nil, "", "identity": return body
        case "gzip", "x-gzip":
            do { return try GzipInflater.inflate(body, limit: limit) } catch {
                if error as? GzipError == .outOfMemory { throw .unavailable("There is no memory to unpack the body just now.") }
                throw .invalidInput("The body cannot be unpacked: \(error).", field: "Content-Encoding")
            }
        case let other?:
            throw .invalidInput(
                "The Content-Encoding '\(other.prefix(40))' is not known: send gzip, or the body as it is.", field: "Content-Encoding")
        }
    }
}
