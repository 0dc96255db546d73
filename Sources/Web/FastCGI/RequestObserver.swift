/// What is told after each answer: to a log, to metrics.
///
/// Each thread gets a reporter of its own, so that reporting needs no lock that threads share.
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

    /// Runs on the thread that it was made for, so it must be quick.
    public typealias Reporter = (Record) -> Void

    let makeReporter: (@Sendable (_ thread: Int) -> Reporter)?
    let tick: @Sendable () -> Void

    /// Without closures nothing is measured or told. `makeReporter` runs once in each thread; `tick` runs several times a second on the
    /// server's main thread and once more when all threads have ended: to write out what the reporters keep back.
    public init(tick: @escaping @Sendable () -> Void = {}, makeReporter: (@Sendable (_ thread: Int) -> Reporter)? = nil) {
        self.tick = tick
        self.makeReporter = makeReporter
    }
}
