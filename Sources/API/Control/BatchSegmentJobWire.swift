import JSON
import Tastemaker

enum BatchSegmentJobWire {
    static func create(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let input = try Check.required(try call.members.members("jobInput"), field: "jobInput")
        let output = try Check.required(try call.members.members("jobOutput"), field: "jobOutput")
        let job = try call.environment.createBatchSegmentJob(
            CreateBatchSegmentJobInput(
                jobName: try call.required("jobName"), solutionVersionARN: try call.required("solutionVersionArn"),
                filterARN: try call.optional("filterArn"), userCount: try call.members.int("numResults"), input: .object(input.object),
                output: .object(output.object), roleARN: try call.required("roleArn"), tags: try call.tags()),
            by: call.caller)
        out.member("batchSegmentJobArn", call.arn(.batchSegmentJob, job.name))
    }

    static func describe(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let job = try call.environment.describeBatchSegmentJob(arn: call.required("batchSegmentJobArn"), by: call.caller)
        out.object("batchSegmentJob") { out in
            head(job, call, &out)
            if let name = job.filterName { out.member("filterArn", call.arn(.filter, name)) }
            out.member("numResults", integer: Int64(job.userCount))
            out.member("jobInput", json: job.input)
            out.member("jobOutput", json: job.output)
            out.member("roleArn", job.roleARN)
        }
    }

    static func list(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let page = try call.environment.listBatchSegmentJobs(
            solutionVersionARN: call.optional("solutionVersionArn"), call.page(), by: call.caller)
        out.page("batchSegmentJobs", page) { out, job in head(job, call, &out) }
    }

    private static func head(_ job: BatchSegmentJob, _ call: ControlCall, _ out: inout JSONWriter) {
        out.member("batchSegmentJobArn", call.arn(.batchSegmentJob, job.name))
        out.member("jobName", job.name)
        out.member("solutionVersionArn", call.arn(.solution, job.version.path))
        out.lifecycle(status: job.status.rawValue, failureReason: job.failureReason, created: job.createdAt, updated: job.updatedAt)
    }
}
