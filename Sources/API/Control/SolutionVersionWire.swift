import JSON
import Ranking
import Tastemaker

enum SolutionVersionWire {
    static func create(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let version = try call.environment.createSolutionVersion(
            CreateSolutionVersionInput(
                solutionARN: try call.required("solutionArn"), name: try call.optional("name"),
                trainingMode: try call.optional("trainingMode"),
                tags: try call.tags()),
            by: call.caller)
        out.member("solutionVersionArn", call.arn(.solution, version.path))
    }

    static func describe(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let version = try call.environment.describeSolutionVersion(arn: call.required("solutionVersionArn"), by: call.caller)
        let solution = version.solution
        out.object("solutionVersion") { out in
            out.member("name", version.name)
            summary(version, call, &out)
            out.member("solutionArn", call.arn(.solution, solution.name))
            out.member("performHPO", solution.performsHPO)
            out.member("performAutoML", solution.performsAutoML)
            out.member("performIncrementalUpdate", solution.performsIncrementalUpdate)
            out.member("recipeArn", call.arn(.recipe, solution.recipe.rawValue))
            out.member("eventType", solution.eventType)
            out.member("datasetGroupArn", call.arn(.datasetGroup, solution.datasetGroupName))
            out.member("solutionConfig", json: version.config ?? [:])
            out.member("trainingHours", number: version.trainingHours, decimals: 3)
            if !version.tunedParameters.isEmpty {
                out.object("tunedHPOParams") { out in
                    out.object("algorithmHyperParameters") { out in
                        for (name, value) in version.tunedParameters.sorted(by: { $0.key < $1.key }) {
                            out.key(name)
                            out.string(value)
                        }
                    }
                }
            }
        }
    }

    static func list(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let page = try call.environment.listSolutionVersions(solutionARN: call.optional("solutionArn"), call.page(), by: call.caller)
        out.page("solutionVersions", page) { out, version in summary(version, call, &out) }
    }

    static func stop(_ call: ControlCall, _ out: inout JSONWriter) throws {
        try call.environment.stopSolutionVersionCreation(arn: call.required("solutionVersionArn"), by: call.caller)
    }

    static func metrics(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let version = try call.environment.solutionMetrics(arn: call.required("solutionVersionArn"), by: call.caller)
        out.member("solutionVersionArn", call.arn(.solution, version.path))
        out.object("metrics") { out in
            for metric in version.contractMetrics {
                out.key(metric.name)
                out.double(metric.value, decimals: 4)
            }
        }
    }

    static func summary(_ version: SolutionVersion, _ call: ControlCall, _ out: inout JSONWriter) {
        out.member("solutionVersionArn", call.arn(.solution, version.path))
        out.lifecycle(
            status: version.status.rawValue, failureReason: version.failureReason, created: version.createdAt, updated: version.updatedAt)
        out.member("trainingMode", version.trainingMode)
        out.member("trainingType", version.trainingType.rawValue)
    }
}
