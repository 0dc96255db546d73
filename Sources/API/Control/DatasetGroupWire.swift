import JSON
import Tastemaker

enum DatasetGroupWire {
    static func create(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let group = try call.environment.createDatasetGroup(
            CreateDatasetGroupInput(
                name: try call.required("name"), domain: try call.optional("domain"), roleARN: try call.optional("roleArn"),
                kmsKeyARN: try call.optional("kmsKeyArn"), tags: try call.tags()),
            by: call.caller)
        out.member("datasetGroupArn", call.arn(.datasetGroup, group.name))
        out.member("domain", group.domain)
    }

    static func describe(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let group = try call.environment.describeDatasetGroup(arn: call.required("datasetGroupArn"), by: call.caller)
        out.object("datasetGroup") { out in
            head(group, call, &out)
            out.member("roleArn", group.roleARN)
            out.member("kmsKeyArn", group.kmsKeyARN)
        }
    }

    static func list(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let page = try call.environment.listDatasetGroups(call.page(), by: call.caller)
        out.page("datasetGroups", page) { out, group in head(group, call, &out) }
    }

    static func delete(_ call: ControlCall, _ out: inout JSONWriter) throws {
        try call.environment.deleteDatasetGroup(arn: call.required("datasetGroupArn"), by: call.caller)
    }

    private static func head(_ group: DatasetGroup, _ call: ControlCall, _ out: inout JSONWriter) {
        out.member("name", group.name)
        out.member("datasetGroupArn", call.arn(.datasetGroup, group.name))
        out.lifecycle(status: group.status.rawValue, failureReason: group.failureReason, created: group.createdAt, updated: group.updatedAt)
        out.member("domain", group.domain)
    }
}
