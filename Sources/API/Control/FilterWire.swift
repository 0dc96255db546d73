import JSON
import Tastemaker

enum FilterWire {
    static func create(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let filter = try call.environment.createFilter(
            CreateFilterInput(
                name: try call.required("name"), datasetGroupARN: try call.required("datasetGroupArn"),
                expression: try call.required("filterExpression"), tags: try call.tags()),
            by: call.caller)
        out.member("filterArn", call.arn(.filter, filter.name))
    }

    static func describe(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let filter = try call.environment.describeFilter(arn: call.required("filterArn"), by: call.caller)
        out.object("filter") { out in
            head(filter, call, &out)
            out.member("filterExpression", filter.expression)
        }
    }

    /// The key is `Filters` with a capital F: the contract has it so.
    static func list(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let page = try call.environment.listFilters(datasetGroupARN: call.optional("datasetGroupArn"), call.page(), by: call.caller)
        out.page("Filters", page) { out, filter in head(filter, call, &out) }
    }

    static func delete(_ call: ControlCall, _ out: inout JSONWriter) throws {
        try call.environment.deleteFilter(arn: call.required("filterArn"), by: call.caller)
    }

    private static func head(_ filter: Filter, _ call: ControlCall, _ out: inout JSONWriter) {
        out.member("name", filter.name)
        out.member("filterArn", call.arn(.filter, filter.name))
        out.member("datasetGroupArn", call.arn(.datasetGroup, filter.datasetGroupName))
        out.lifecycle(
            status: filter.status.rawValue, failureReason: filter.failureReason, created: filter.createdAt, updated: filter.updatedAt)
    }
}
