import JSON
import Ranking
import Tastemaker

enum RecommenderWire {
    static func create(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let recommender = try call.environment.createRecommender(
            CreateRecommenderInput(
                name: try call.required("name"), datasetGroupARN: try call.required("datasetGroupArn"),
                recipeARN: try call.required("recipeArn"), config: call.members.value("recommenderConfig"), tags: try call.tags()),
            by: call.caller)
        writeARN(recommender, call, &out)
    }

    static func describe(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let recommender = try call.environment.describeRecommender(arn: call.required("recommenderArn"), by: call.caller)
        out.object("recommender") { out in
            head(recommender, call, &out)
            out.member("failureReason", recommender.failureReason)
            if let update = recommender.latestUpdate { out.object("latestRecommenderUpdate") { write(update, &$0) } }
            guard !recommender.metrics.isEmpty else { return }
            out.object("modelMetrics") { out in
                for metric in recommender.metrics {
                    out.key(metric.name)
                    out.double(metric.value, decimals: 4)
                }
            }
        }
    }

    static func list(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let page = try call.environment.listRecommenders(datasetGroupARN: call.optional("datasetGroupArn"), call.page(), by: call.caller)
        out.page("recommenders", page) { out, recommender in head(recommender, call, &out) }
    }

    static func update(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let config = try Check.required(call.members.value("recommenderConfig"), field: "recommenderConfig")
        writeARN(
            try call.environment.updateRecommender(arn: call.required("recommenderArn"), config: config, by: call.caller), call, &out)
    }

    static func delete(_ call: ControlCall, _ out: inout JSONWriter) throws {
        try call.environment.deleteRecommender(arn: call.required("recommenderArn"), by: call.caller)
    }

    static func start(_ call: ControlCall, _ out: inout JSONWriter) throws {
        writeARN(try call.environment.startRecommender(arn: call.required("recommenderArn"), by: call.caller), call, &out)
    }

    static func stop(_ call: ControlCall, _ out: inout JSONWriter) throws {
        writeARN(try call.environment.stopRecommender(arn: call.required("recommenderArn"), by: call.caller), call, &out)
    }

    private static func writeARN(_ recommender: Recommender, _ call: ControlCall, _ out: inout JSONWriter) {
        out.member("recommenderArn", call.arn(.recommender, recommender.name))
    }

    private static func head(_ recommender: Recommender, _ call: ControlCall, _ out: inout JSONWriter) {
        out.member("name", recommender.name)
        writeARN(recommender, call, &out)
        out.member("datasetGroupArn", call.arn(.datasetGroup, recommender.datasetGroupName))
        out.member("recipeArn", call.arn(.recipe, recommender.recipe.rawValue))
        out.member("recommenderConfig", json: recommender.config)
        out.lifecycle(status: recommender.status.rawValue, created: recommender.createdAt, updated: recommender.updatedAt)
    }

    private static func write(_ update: RecommenderUpdate, _ out: inout JSONWriter) {
        out.member("recommenderConfig", json: update.config)
        out.lifecycle(
            status: update.status.rawValue, failureReason: update.failureReason, created: update.createdAt, updated: update.updatedAt)
    }
}
