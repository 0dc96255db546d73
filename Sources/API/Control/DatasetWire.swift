import JSON
import Tastemaker

enum DatasetWire {
    static func create(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let dataset = try call.environment.createDataset(
            CreateDatasetInput(
                name: try call.required("name"), schemaARN: try call.required("schemaArn"),
                datasetGroupARN: try call.required("datasetGroupArn"), datasetType: try call.required("datasetType"), tags: try call.tags()),
            by: call.caller)
        out.member("datasetArn", call.arn(.dataset, dataset.path))
    }

    static func describe(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let dataset = try call.environment.describeDataset(arn: call.required("datasetArn"), by: call.caller)
        out.object("dataset") { out in
            head(dataset, call, &out)
            out.member("datasetGroupArn", call.arn(.datasetGroup, dataset.datasetGroupName))
            out.member("schemaArn", call.arn(.schema, dataset.schemaName))
            out.member("trackingId", dataset.trackingID)
            guard let update = dataset.latestUpdate else { return }
            out.object("latestDatasetUpdate") { out in
                out.member("schemaArn", call.arn(.schema, update.schemaName))
                out.lifecycle(status: update.status, created: update.createdAt, updated: update.updatedAt)
            }
        }
    }

    static func list(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let page = try call.environment.listDatasets(datasetGroupARN: call.optional("datasetGroupArn"), call.page(), by: call.caller)
        out.page("datasets", page) { out, dataset in head(dataset, call, &out) }
    }

    static func update(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let dataset = try call.environment.updateDataset(
            arn: call.required("datasetArn"), schemaARN: call.required("schemaArn"), by: call.caller)
        out.member("datasetArn", call.arn(.dataset, dataset.path))
    }

    static func delete(_ call: ControlCall, _ out: inout JSONWriter) throws {
        try call.environment.deleteDataset(arn: call.required("datasetArn"), by: call.caller)
    }

    private static func head(_ dataset: Dataset, _ call: ControlCall, _ out: inout JSONWriter) {
        out.member("name", dataset.name)
        out.member("datasetArn", call.arn(.dataset, dataset.path))
        out.member("datasetType", dataset.type.rawValue)
        out.lifecycle(status: dataset.status.rawValue, created: dataset.createdAt, updated: dataset.updatedAt)
    }
}
