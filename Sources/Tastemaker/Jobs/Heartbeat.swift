import Dispatch
import Foundation
import Postgres

/// Renews the lease of a running job every second, stores its progress, and hears of its cancelling.
final class Heartbeat: Sendable {
    private let context: JobContext
    private let environment: Environment
    private let deadline: Date
    private let end = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ context: JobContext, environment: Environment, timeout: Double) {
        self.context = context
        self.environment = environment
        deadline = Date(timeIntervalSinceNow: timeout)
    }

    func start() {
        let thread = Thread { [self] in
            while end.wait(timeout: .now() + 1) == .timedOut { beat() }
            ended.signal()
        }
        thread.name = "job-heartbeat"
        thread.start()
    }

    func stop() {
        end.signal()
        ended.wait()
    }

    private func beat() {
        if Date() > deadline { context.interrupt(.timedOut) }
        let report = context.report
        do {
            let isCancelRequested = try environment.database.withConnection { (connection) throws in
                try JobQueries.heartbeat(
                    context.id, attempt: context.attempt, progress: report.progress, message: report.message, connection)
            }
            guard let isCancelRequested else { return context.interrupt(.lost) }
            if isCancelRequested { context.interrupt(.cancelled) }
        } catch {
            // The lease bears a while without the database; after that another worker's claim ends this attempt.
        }
    }
}
