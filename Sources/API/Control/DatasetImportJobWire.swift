import JSON
import Tastemaker

enum DatasetImportJobWire {
    static func create(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let source = try Check.required(try call.members.members("dataSource"), field: "dataSource")
        let location = try Check.required(try source.string("dataLocation"), field: "dataSource.dataLocation")
        let job = try call.environment.createDatasetImportJob(
            CreateDatasetImportJobInput(
                jobName: try call.required("jobName"), datasetARN: try call.required("datasetArn"), source: .location(location),
                roleARN: try call.optional("roleArn"), importMode: try call.optional("importMode"),
                publishesAttributionMetrics: try call.members.bool("publishAttributionMetricsToS3"), tags: try call.tags()),
            by: call.caller)
        out.member("datasetImportJobArn", call.arn(.datasetImportJob, job.name))
    }

    static func describe(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let job = try call.environment.describeDatasetImportJob(arn: call.required("datasetImportJobArn"), by: call.caller)
        out.object("datasetImportJob") { out in
            head(job, call, &out)
            out.member("datasetArn", call.arn(.dataset, job.dataset.path))
            out.object("dataSource") { $0.member("dataLocation", job.dataLocation) }
            out.member("roleArn", job.roleARN)
            out.member("publishAttributionMetricsToS3", job.publishesAttributionMetrics)
        }
    }

    static func list(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let page = try call.environment.listDatasetImportJobs(datasetARN: call.optional("datasetArn"), call.page(), by: call.caller)
        out.page("datasetImportJobs", page) { out, job in head(job, call, &out) }
    }

    private static func head(_ job: DatasetImportJob, _ call: ControlCall, _ out: inout JSONWriter) {
        out.member("jobName", job.name)
        out.member("datasetImportJobArn", call.arn(.datasetImportJob, job.name))
        out.lifecycle(status: job.status.rawValue, failureReason: job.failureReason, created: job.createdAt, updated: job.updatedAt)
        out.member("importMode", job.importMode.rawValue)
    }
}
