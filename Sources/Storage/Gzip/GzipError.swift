/// Why a gzip stream was refused.
public enum GzipError: Error, Equatable, Sendable, CustomStringConvertible {
    case damaged
    case truncated
    /// More than the limit came out, in bytes.
    case tooLarge(Int)
    case outOfMemory

    public var description: String {
        switch self {
        case .damaged: "the gzip data is damaged"
        case .truncated: "the gzip data ends too early"
        case .tooLarge(let limit): "the gzip data unpacks to more than \(limit) bytes"
        case .outOfMemory: "no memory to unpack gzip data"
        }
    }
}
