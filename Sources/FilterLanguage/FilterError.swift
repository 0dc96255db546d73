/// Why a filter, or the values sent with it, was refused.
public struct FilterError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where in the filter's text (for `FilterValues`: in the parameter's value), in Unicode scalars from its start.
    public let offset: Int
    /// One or two sentences for the person who wrote the filter. The caller puts "Could not create filter." before it.
    public let message: String

    public init(offset: Int, message: String) {
        self.offset = offset
        self.message = message
    }

    public var description: String { "\(message) (at character \(offset + 1))" }
}
