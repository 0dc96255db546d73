import JSON
import Tastemaker
import Web

extension ConsoleRoutes {
    static let jobs: [ConsoleRoute] = [
        .group(.get, "/jobs", .viewOperation, JobPages.list),
        .group(.post, "/jobs/{job}/cancel", .operators, JobPages.cancel),
        .group(.post, "/jobs/{job}/retry", .operators, JobPages.retry),
    ]
}

enum JobPages {
    /// A kind of job for people.
    static func name(of kind: String) -> String {
        switch JobKind(rawValue: kind) {
        case .importDataset: "Import"
        case .trainSolutionVersion: "Training"
        case .makeSegments: "User segments"
        case .advanceGroup: "Upkeep of placements"
        case .automaticTraining: "Scheduled training"
        case .countReports: "Counting for reports"
        case .clean: "Clean-up"
        case nil: kind
        }
    }

    static func row(_ job: Job, _ visit: Visit, _ group: DatasetGroup) -> ViewModel {
        let format = PageFormat(group)
        let look = look(job)
        return [
            "id": .text(String(job.id)), "name": .text(name(of: job.kind)), "message": .text(job.message),
            "percent": .number(Int((job.progress * 100).rounded())), "kind": .text(look.kind), "state": .text(look.label),
            "isRunning": .bool(job.state == .running), "attempt": .text("\(job.attempt) of \(job.maxAttempts)"), "error": .text(job.error),
            "createdAt": format.moment(job.createdAt), "finishedAt": format.moment(job.finishedAt),
            "canCancel": .bool(visit.may(.operators) && (job.state == .running || job.state == .available) && !job.isCancelRequested),
            "canRetry": .bool(visit.may(.operators) && canRetry(job)),
            "cancelURL": .url(.page(group, "jobs", String(job.id), "cancel")),
            "retryURL": .url(.page(group, "jobs", String(job.id), "retry")),
        ]
    }

    /// As `retryJob` has it: what waits for its next attempt may run now; of what failed for good, upkeep alone, since an import or a
    /// training has failed with its resource.
    private static func canRetry(_ job: Job) -> Bool {
        switch job.state {
        case .available: job.attempt > 0
        case .discarded: JobKind(rawValue: job.kind).map { ![.importDataset, .trainSolutionVersion, .makeSegments].contains($0) } ?? false
        case .running, .completed, .cancelled: false
        }
    }

    private static func look(_ job: Job) -> (kind: String, label: String) {
        switch job.state {
        case .available: job.attempt > 0 ? ("warn", "waiting to try again") : ("busy", "waiting")
        case .running: ("busy", job.isCancelRequested ? "ending" : "running")
        case .completed: ("good", "done")
        case .cancelled: ("", "cancelled")
        case .discarded: ("bad", "failed")
        }
    }

    static func list(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let before = try visit.request.query("before").flatMap { Int64($0) }
        let jobs = try visit.environment.listJobs(datasetGroupID: group.id, before: before, limit: 51, by: visit.caller)
        let shown = jobs.prefix(50)
        let older: ViewValue =
            jobs.count > 50 ? URLValue("\(URLValue.jobs(group).text)?before=\(shown.last?.id ?? 0)").map { .url($0) } ?? false : false
        return try visit.render(
            "operation/jobs",
            [
                "jobs": .list(shown.map { row($0, visit, group) }), "isEmpty": .bool(shown.isEmpty),
                "isLive": .bool(shown.contains { $0.state == .running || $0.state == .available }),
                "pager": before == nil && jobs.count <= 50
                    ? false
                    : .object(["summary": "Newest first", "newerURL": before == nil ? false : .url(.jobs(group)), "olderURL": older]),
            ])
    }

    /// The waiting or running job of a resource, for its progress.
    static func live(_ visit: Visit, payloadMember: String, value: Int32) throws -> Job? {
        try visit.environment.listJobs(states: [.running, .available], limit: 100, by: visit.caller).first {
            $0.payload[payloadMember]?.intValue == Int64(value)
        }
    }

    static func cancel(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        try change(visit, group, done: "The job is ended, or ends in a moment.") { id in
            _ = try visit.environment.cancelJob(id: id, by: visit.caller)
        }
    }

    static func retry(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        try change(visit, group, done: "The job waits for another try.") { id in try visit.environment.retryJob(id: id, by: visit.caller) }
    }

    private static func change(_ visit: Visit, _ group: DatasetGroup, done: String, _ action: (Int64) throws -> Void) throws -> Response {
        guard let id = Int64(try visit.pathText("job")) else { throw OperationError.notFound("There is no such job.") }
        do {
            try action(id)
            return visit.redirect(to: .jobs(group), .good(done))
        } catch OperationError.inUse(let sentence) {
            return visit.redirect(to: .jobs(group), .bad(sentence))
        }
    }
}
