import ArgumentParser

/// A kind of worker process with a socket of its own, so that a slow page cannot take a thread from the recommendations.
enum WorkerPool: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// Recommendations, the AWS protocol, the JSON interface.
    case api
    /// The doors through which events come in.
    case events
    /// Pages, uploads and the demo shop.
    case console

    /// nginx keeps up to 32 idle connections to each of the first two and may open all of them to one process, and each
    /// holds a thread: never fewer than that.
    var threads: Int {
        switch self {
        case .api, .events: 32
        case .console: 4
        }
    }

    func socketPath(in runFolder: String) -> String {
        "\(runFolder)/\(rawValue).sock"
    }
}
