/// A metric as it is declared: name, kind and a sentence for people. What is not declared is not counted.
public struct MetricFamily: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case counter
        /// Upper bounds in seconds, rising; one more bucket takes what is above.
        case histogram(bounds: [Double])
    }

    public let name: StaticString
    public let kind: Kind
    public let help: StaticString

    public init(_ name: StaticString, _ kind: Kind, help: StaticString) {
        self.name = name
        self.kind = kind
        self.help = help
    }

    public static func == (first: MetricFamily, second: MetricFamily) -> Bool {
        first.name.description == second.name.description && first.kind == second.kind
    }

    /// 1, 2, 5, 10, 20, 50, 100, 250 and 1000 milliseconds.
    public static let requestBounds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1]
}
