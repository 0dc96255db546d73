import Tastemaker
import Web

extension ConsoleRoutes {
    static let experiments: [ConsoleRoute] = [
        .group(.get, "/experiments", .viewExperiments, ExperimentPages.list),
        .group(.get, "/new-experiment", .marketers) { visit, group in try ExperimentFormPage.show(visit, group, nil, nil, FormState()) },
        .group(.post, "/new-experiment", .marketers, ExperimentFormPage.submit),
        .group(.get, "/experiments/{experiment}", .viewExperiments, ExperimentPages.show),
        .group(.get, "/experiments/{experiment}/report.csv", .viewExperiments, ExperimentPages.table),
        .group(.post, "/experiments/{experiment}/start", .marketers, ExperimentPages.start),
        .group(.post, "/experiments/{experiment}/stop", .marketers, ExperimentPages.stop),
        .group(.get, "/experiments/{experiment}/delete", .marketers, ExperimentPages.confirmDeletion),
        .group(.post, "/experiments/{experiment}/delete", .marketers, ExperimentPages.delete),
    ]
}

extension URLValue {
    static func experiments(_ group: DatasetGroup) -> URLValue { page(group, "experiments") }
    static func experiment(_ id: Int32, _ group: DatasetGroup, _ action: String? = nil) -> URLValue {
        action.map { page(group, "experiments", String(id), $0) } ?? page(group, "experiments", String(id))
    }
}

enum ExperimentPages {
    static func list(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let experiments = try visit.environment.listExperiments(datasetGroupID: group.id, by: visit.caller)
        let format = PageFormat(group)
        return try visit.render(
            "experiments/list",
            [
                "isEmpty": .bool(experiments.isEmpty), "canChange": .bool(visit.may(.marketers)),
                "newURL": .url(.page(group, "new-experiment")),
                "experiments": .list(
                    experiments.prefix(200).map { experiment in
                        [
                            "experiment": .text(experiment.name), "showURL": .url(.experiment(experiment.id, group)),
                            "status": badge(experiment, visit), "place": .text(experiment.placementTitle),
                            "metric": .text(name(of: experiment.primaryMetric)), "arms": .number(experiment.arms.count),
                            "end": format.moment(experiment.plannedEndAt),
                        ]
                    }),
            ])
    }

    static func show(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let report = try visit.environment.experimentReport(visit.pathNumber("experiment"), by: visit.caller)
        let forecast =
            report.experiment.startedAt == nil ? try visit.environment.forecastExperiment(report.experiment, by: visit.caller) : nil
        let promotions = try visit.environment.listPromotions(datasetGroupID: group.id, by: visit.caller)
        let names = Dictionary(promotions.map { ($0.id, $0.name) }) { first, _ in first }
        return try visit.render("experiments/show", ExperimentReportModel(report, forecast, names, visit, group).model)
    }

    /// The report's figures, one row for each arm and metric.
    static func table(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let report = try visit.environment.experimentReport(visit.pathNumber("experiment"), by: visit.caller)
        var table = CSVTable(
            columns: [
                "arm", "metric", "visitors", "value", "difference_to_control", "lower_95", "upper_95", "p", "p_adjusted", "is_primary",
            ])
        for (position, arm) in report.experiment.arms.enumerated() {
            for metric in OutcomeMetric.allCases {
                let comparison = report.comparisons.first { $0.arm == position && $0.metric == metric }
                func number(_ value: Double?) -> CSVTable.Cell { value.map { .number($0) } ?? .empty }
                let effect = comparison?.effect
                table.add([
                    .text(arm.name), .text(metric.rawValue), .integer(report.totals[position].units),
                    number(report.totals[position].value(of: metric)), number(effect?.difference), number(effect?.lower),
                    number(effect?.upper), number(effect?.pValue), number(comparison?.adjustedPValue),
                    .text(metric == report.experiment.primaryMetric.outcome ? "yes" : "no"),
                ])
            }
        }
        return visit.file(table.bytes, contentType: "text/csv; charset=utf-8", name: "experiment-\(report.experiment.id).csv")
    }

    static func start(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        try change(visit, group) { id throws(OperationError) in
            let experiment = try visit.environment.startExperiment(id, by: visit.caller)
            return "\(experiment.name) runs: visitors of \(experiment.placementTitle) fall into its arms from now on."
        }
    }

    static func stop(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let reason = try visit.form().text("reason") ?? ""
        return try change(visit, group) { id throws(OperationError) in
            let experiment = try visit.environment.stopExperiment(id, reason: reason, by: visit.caller)
            return "\(experiment.name) is stopped. Everybody sees what the placement has."
        }
    }

    static func confirmDeletion(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let experiment = try visit.environment.experimentReport(visit.pathNumber("experiment"), by: visit.caller).experiment
        return try ConfirmPage(
            thing: "the experiment \(experiment.name)", consequence: "Its result goes with it.",
            deleteURL: .experiment(experiment.id, group, "delete"), backURL: .experiment(experiment.id, group)
        ).show(visit)
    }

    static func delete(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let id = try visit.pathNumber("experiment")
        do throws(OperationError) {
            try visit.environment.deleteExperiment(id, by: visit.caller)
        } catch {
            guard case .inUse(let sentence) = error else { throw error }
            return visit.redirect(to: .experiment(id, group), .bad(sentence))
        }
        return visit.redirect(to: .experiments(group), .good("The experiment is deleted."))
    }

    private static func change(
        _ visit: Visit, _ group: DatasetGroup, _ action: (Int32) throws(OperationError) -> String
    ) throws -> Response {
        let id = try visit.pathNumber("experiment")
        do throws(OperationError) {
            return visit.redirect(to: .experiment(id, group), .good(try action(id)))
        } catch {
            switch error {
            case .inUse(let sentence), .invalidInput(let sentence, _): return visit.redirect(to: .experiment(id, group), .bad(sentence))
            default: throw error
            }
        }
    }

    /// - Parameter reading: what the report says, where one was made; only then is the end a good one or not.
    static func badge(_ experiment: Experiment, _ visit: Visit, reading: ExperimentReport.Reading? = nil) -> ViewValue {
        let isOver = visit.environment.now() >= experiment.plannedEndAt
        let (kind, label) =
            switch experiment.state {
            case .draft: ("", "draft")
            case .running: isOver ? ("warn", "has reached its end") : ("busy", "running")
            case .stopped where reading == .sampleRatioAlarm: ("bad", "no result")
            case .stopped: experiment.wasStoppedEarly ? ("warn", "stopped early") : (reading == nil ? "" : "good", "finished")
            }
        return .object(["kind": .text(kind), "label": .text(label)])
    }

    static func name(of metric: Experiment.PrimaryMetric) -> String {
        switch metric {
        case .conversion: "conversion rate"
        case .revenue: "revenue per visitor"
        case .clickThrough: "clicks per list"
        }
    }
}
