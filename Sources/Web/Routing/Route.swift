/// One line of the route table: method, pattern, who may, what is done.
///
/// `Access` is whatever the edge judges callers by; the router hands it to the gate with the matched request and
/// never looks inside. `Context` is the worker thread's own state.
public struct Route<Context: ~Copyable, Access: Sendable>: Sendable {
    public typealias Handler = @Sendable (inout Context, Request) throws -> Response

    /// How the body comes to the handler.
    public enum Body: Sendable, Equatable {
        /// Read whole before the gate, at most so many bytes: signatures cover it.
        case whole(limit: Int)
        /// Left to the handler, which reads `bodyReader`; the announced length is checked against the limit first.
        case streamed(limit: Int)

        var limit: Int {
            switch self {
            case .whole(let limit), .streamed(let limit): limit
            }
        }
    }

    public let method: Method
    /// Segments as they are sent, `{name}` for a value: `/v1/placements/{name}/recommendations`. A final slash counts.
    public let pattern: String
    /// Names the route in metrics and logs.
    public let name: String
    public let access: Access
    public let body: Body
    public let handler: Handler

    let segments: [Segment]
    let valueNames: [String]

    enum Segment: Sendable, Equatable {
        case literal([UInt8])
        case value(String)
        /// `{name...}`: all that is left, slashes included.
        case rest(String)
    }

    public init(
        _ method: Method, _ pattern: String, name: String? = nil, access: Access, body: Body = .whole(limit: 1 << 20),
        handler: @escaping Handler
    ) {
        precondition(pattern.utf8.first == UInt8(ascii: "/"), "a pattern starts with a slash")
        self.method = method
        self.pattern = pattern
        self.name = name ?? "\(method.rawValue) \(pattern)"
        self.access = access
        self.body = body
        self.handler = handler
        segments = pattern.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { part in
            guard part.first == UInt8(ascii: "{"), part.last == UInt8(ascii: "}") else { return .literal(Array(part)) }
            let name = String(decoding: part.dropFirst().dropLast(), as: UTF8.self)
            return name.hasSuffix("...") ? .rest(String(name.dropLast(3))) : .value(name)
        }
        valueNames = segments.compactMap { segment in
            switch segment {
            case .literal: nil
            case .value(let name), .rest(let name): name
            }
        }
    }

}
