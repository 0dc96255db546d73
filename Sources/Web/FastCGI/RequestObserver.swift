/// What is told after each answer: to a log, to metrics. Runs on the worker's thread, so it must be quick.
public struct RequestObserver: Sendable {
    /// One answered request.
    public struct Record: Sendable {
        public var requestID: String
        public var method: String
        public var route: String
        public var status: Int
        public var microseconds: Int
        public var requestBytes: Int
        public var responseBytes: Int
        /// What the handler threw, for people who read the log.
        public var failure: String?
    }

    let report: (@Sendable (Record) -> Void)?

    /// Without a closure nothing is measured or told.
    public init(_ report: (@Sendable (Record) -> Void)? = nil) {
        self.report = report
    }
}
