import JSON
import Ranking
import Tastemaker

enum SolutionWire {
    static func create(_ call: ControlCall, _ out: inout JSONWriter) throws {
        var input = CreateSolutionInput(
            name: try call.required("name"), datasetGroupARN: try call.required("datasetGroupArn"),
            recipeARN: try call.optional("recipeArn"),
            config: call.members.value("solutionConfig"), tags: try call.tags())
        input.performsHPO = try call.members.bool("performHPO")
        input.performsAutoML = try call.members.bool("performAutoML")
        input.performsAutoTraining = try call.members.bool("performAutoTraining")
        input.performsIncrementalUpdate = try call.members.bool("performIncrementalUpdate")
        input.eventType = try call.optional("eventType")
        let solution = try call.environment.createSolution(input, by: call.caller)
        out.member("solutionArn", call.arn(.solution, solution.name))
    }

    static func describe(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let (solution, latest) = try call.environment.describeSolution(arn: call.required("solutionArn"), by: call.caller)
        out.object("solution") { out in
            head(solution, call, &out)
            out.member("performHPO", solution.performsHPO)
            out.member("performAutoML", solution.performsAutoML)
            out.member("performAutoTraining", solution.performsAutoTraining)
            out.member("performIncrementalUpdate", solution.performsIncrementalUpdate)
            out.member("datasetGroupArn", call.arn(.datasetGroup, solution.datasetGroupName))
            out.member("eventType", solution.eventType)
            out.member("solutionConfig", json: solution.config)
            if solution.isRecipeChosen {
                out.object("autoMLResult") { $0.member("bestRecipeArn", call.arn(.recipe, solution.recipe.rawValue)) }
            }
            if let latest { out.object("latestSolutionVersion") { SolutionVersionWire.summary(latest, call, &$0) } }
            if let update = solution.latestUpdate { out.object("latestSolutionUpdate") { write(update, &$0) } }
        }
    }

    static func list(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let page = try call.environment.listSolutions(datasetGroupARN: call.optional("datasetGroupArn"), call.page(), by: call.caller)
        out.page("solutions", page) { out, solution in head(solution, call, &out) }
    }

    static func update(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let solution = try call.environment.updateSolution(
            UpdateSolutionInput(
                solutionARN: try call.required("solutionArn"), performsAutoTraining: try call.members.bool("performAutoTraining"),
                performsIncrementalUpdate: try call.members.bool("performIncrementalUpdate"),
                config: call.members.value("solutionUpdateConfig")),
            by: call.caller)
        out.member("solutionArn", call.arn(.solution, solution.name))
    }

    static func delete(_ call: ControlCall, _ out: inout JSONWriter) throws {
        try call.environment.deleteSolution(arn: call.required("solutionArn"), by: call.caller)
    }

    private static func head(_ solution: Solution, _ call: ControlCall, _ out: inout JSONWriter) {
        out.member("name", solution.name)
        out.member("solutionArn", call.arn(.solution, solution.name))
        if !solution.performsAutoML { out.member("recipeArn", call.arn(.recipe, solution.recipe.rawValue)) }
        out.lifecycle(status: solution.status.rawValue, created: solution.createdAt, updated: solution.updatedAt)
    }

    private static func write(_ update: SolutionUpdate, _ out: inout JSONWriter) {
        out.member("solutionUpdateConfig", json: update.config)
        out.member("performAutoTraining", update.performsAutoTraining)
        out.member("performIncrementalUpdate", update.performsIncrementalUpdate)
        out.lifecycle(status: update.status, created: update.createdAt, updated: update.updatedAt)
    }
}
