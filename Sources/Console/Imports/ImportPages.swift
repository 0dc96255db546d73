import Tastemaker
import Web

extension ConsoleRoutes {
    static let imports: [ConsoleRoute] = [
        .group(.get, "/imports/{job}", .viewOperation, ImportPages.show),
        .group(.get, "/imports/{job}/errors.csv", .viewOperation, ImportPages.errorsFile),
    ]
}

enum ImportPages {
    static func row(_ job: DatasetImportJob, _ group: DatasetGroup) -> ViewModel {
        [
            "name": .text(job.name), "url": .url(.importJob(job.name, group)), "type": .text(GroupPages.title(of: job.dataset.type)),
            "status": StatusBadge.value(job.status), "accepted": .text(PageFormat.number(job.rowsAccepted)),
            "rejected": .text(PageFormat.number(job.rowsRejected)), "createdAt": PageFormat(group).moment(job.createdAt),
        ]
    }

    static func show(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let job = try find(visit)
        let format = PageFormat(group)
        let after = try visit.request.query("after").flatMap { Int64($0) } ?? 0
        let errors = try visit.environment.listImportRowErrors(of: job, after: after, limit: 100, by: visit.caller)
        let base = URLValue.importJob(job.name, group)
        let older: ViewValue =
            errors.count == 100 ? URLValue("\(base.text)?after=\(errors.last?.line ?? 0)").map { .url($0) } ?? false : false
        let work = try JobPages.live(visit, payloadMember: "importJobID", value: job.id)
        return try visit.render(
            "imports/show",
            [
                "name": .text(job.name), "dataURL": .url(.data(group)), "type": .text(GroupPages.title(of: job.dataset.type)),
                "status": StatusBadge.value(job.status), "isRunning": .bool(StatusBadge.isUnsettled(job.status)),
                "work": work.map { .object(JobPages.row($0, visit, group)) } ?? false, "failure": .text(job.failureReason),
                "location": .text(job.dataLocation),
                "mode": job.importMode == .full ? "replaces what was imported before" : "adds to what is there",
                "accepted": .text(PageFormat.number(job.rowsAccepted)), "rejected": .text(PageFormat.number(job.rowsRejected)),
                "duplicate": .text(PageFormat.number(job.rowsDuplicate)), "createdAt": format.moment(job.createdAt),
                "updatedAt": format.moment(job.updatedAt), "hasErrors": .bool(!errors.isEmpty),
                "errors": .list(errors.map { ["line": .text(PageFormat.number($0.line)), "reason": .text($0.reason)] as ViewModel }),
                "errorsURL": .url(.page(group, "imports", job.name, "errors.csv")),
                "pager": after == 0 && errors.count < 100
                    ? false
                    : .object([
                        "summary": "The first 1,000 refused rows are kept", "newerURL": after > 0 ? .url(base) : false, "olderURL": older,
                    ]),
            ])
    }

    static func errorsFile(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let job = try find(visit)
        let errors = try visit.environment.listImportRowErrors(of: job, limit: 1000, by: visit.caller)
        var table = CSVTable(columns: ["line", "reason"])
        for error in errors { table.add([.integer(Int(error.line)), .text(error.reason)]) }
        return visit.file(table.bytes, contentType: "text/csv; charset=utf-8", name: "\(job.name)-refused.csv")
    }

    private static func find(_ visit: Visit) throws -> DatasetImportJob {
        try visit.environment.describeDatasetImportJob(arn: visit.arn(.datasetImportJob, visit.pathText("job")), by: visit.caller)
    }
}
