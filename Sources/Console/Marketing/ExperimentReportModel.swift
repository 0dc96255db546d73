import Statistics
import Tastemaker
import Web

/// An experiment's page: banner, verdict, arms, differences with their intervals, and what everything means.
struct ExperimentReportModel {
    let model: ViewModel

    init(_ report: ExperimentReport, _ forecast: ExperimentForecast?, _ promotions: [Int32: String], _ visit: Visit, _ group: DatasetGroup)
    {
        let experiment = report.experiment
        let format = PageFormat(group)
        let sample = Self.sampleRatio(report)
        model = [
            "experiment": .text(experiment.name), "listURL": .url(.experiments(group)),
            "status": ExperimentPages.badge(experiment, visit, reading: report.reading),
            "hypothesis": .text(experiment.hypothesis.isEmpty ? nil : experiment.hypothesis),
            "canStart": .bool(experiment.state == .draft && visit.may(.marketers)),
            "canStop": .bool(experiment.state == .running && visit.may(.marketers)),
            "canDelete": .bool(experiment.state != .running && visit.may(.marketers)),
            "startURL": .url(.experiment(experiment.id, group, "start")), "stopURL": .url(.experiment(experiment.id, group, "stop")),
            "deleteURL": .url(.experiment(experiment.id, group, "delete")),
            "csvURL": .url(.experiment(experiment.id, group, "report.csv")), "isStarted": .bool(experiment.startedAt != nil),
            "bannerKind": .text(Self.banner(report, format).kind), "banner": .text(Self.banner(report, format).text),
            "verdict": .text(report.verdict), "forecast": .text(Self.sensitivity(report, forecast)),
            "ratio": .text(sample), "arms": .list(Self.arms(report, promotions, format)),
            "split": .list(
                report.split.map { day in
                    ["day": .text(day.day), "counts": .list(day.units.map { ["units": .text(PageFormat.number($0))] as ViewModel })]
                        as ViewModel
                }), "hasSplit": .bool(!report.split.isEmpty),
            "armNames": .list(experiment.arms.map { ["arm": .text($0.name)] as ViewModel }),
            "comparisons": .list(Self.comparisons(report)), "hasComparisons": .bool(!report.comparisons.isEmpty),
            "charts": .list(Self.charts(report)), "definitions": .list(Self.definitions(report, format)),
            "notes": .list(Self.notes(report)),
        ]
    }

    private static func banner(_ report: ExperimentReport, _ format: PageFormat) -> (kind: String, text: String) {
        switch report.reading {
        case .notStarted: ("", "A draft: nobody takes part yet.")
        case .hiddenUntil(let end):
            (
                "busy",
                "Differences are hidden until the planned end on \(format.time.text(end)): looking earlier and stopping at a good moment is wrong far more often than one time in twenty."
            )
        case .sampleRatioAlarm:
            (
                "bad",
                "The visitors did not fall into the arms as planned, so the comparison means nothing and is hidden. Look at the split by day for when it began: a redirect, a cache or a filter that treats one arm differently is the usual cause."
            )
        case .stoppedEarly: ("warn", "Stopped before its planned end: there is no verdict, and the differences below decide nothing.")
        case .open:
            report.openUnits > 0
                ? (
                    "warn",
                    "The planned end has come. \(PageFormat.count(report.openUnits, "visitor's window", "visitors' windows")) still run; the figures can change a little."
                )
                : ("good", "The planned end has come and every visitor's window is over: the figures are final.")
        }
    }

    /// What it will see, or could see by now.
    private static func sensitivity(_ report: ExperimentReport, _ forecast: ExperimentForecast?) -> String? {
        let metric = report.experiment.primaryMetric
        if let forecast { return forecast.sentence(metric, currency: report.currency) }
        if report.units == 0 { return "Nobody took part yet." }
        guard report.reading != .sampleRatioAlarm, let effect = report.smallestEffect else { return nil }
        let figure = FigureText(metric: metric.outcome, currency: report.currency)
        return "With the visitors so far, a change of \(figure.size(effect)) in \(figure.name) would be found with a chance of 80 %."
    }

    private static func sampleRatio(_ report: ExperimentReport) -> String? {
        guard let ratio = report.sampleRatio else { return nil }
        let planned = report.plannedShares.map { PageFormat.percent($0) }.joined(separator: " : ")
        let found = report.totals.map { PageFormat.percent(Double($0.units) / Double(max(1, report.units))) }.joined(separator: " : ")
        let p = ratio.pValue < 0.001 ? "p < 0.001" : "p = " + PageFormat.decimal(ratio.pValue, places: 3)
        return "Split \(found), planned \(planned) (\(p)\(ratio.isAlarm ? ", an alarm" : ", as it should be"))."
    }

    private static func arms(_ report: ExperimentReport, _ names: [Int32: String], _ format: PageFormat) -> [ViewModel] {
        zip(report.experiment.arms, report.totals).enumerated().map { position, entry in
            let (arm, totals) = entry
            let promotions =
                switch arm.promotions {
                case .placement: "the placement's promotions"
                case .none: "no promotions"
                case .listed(let ids): "only " + ids.map { "'\(names[$0] ?? "a deleted promotion")'" }.joined(separator: ", ")
                }
            let what = [
                arm.campaignName.map { "campaign \($0)" } ?? "the placement's campaign", arm.filterName.map { "filter \($0)" }, promotions,
            ]
            return [
                "arm": .text(arm.name), "isControl": .bool(position == 0), "what": .text(what.compactMap(\.self).joined(separator: ", ")),
                "visitors": .text(PageFormat.number(totals.units)), "lists": .text(PageFormat.number(totals.lists)),
                "converted": .text(PageFormat.number(totals.converted)),
                "conversion": .text(totals.value(of: .conversion).map { PageFormat.percent($0, places: 2) } ?? "–"),
                "orders": .text(PageFormat.number(totals.orders)), "revenue": .text(format.money(totals.revenue)),
                "perVisitor": .text(totals.value(of: .revenue).map { format.money($0) } ?? "–"),
                "clickThrough": .text(totals.value(of: .clickThrough).map { PageFormat.percent($0, places: 2) } ?? "–"),
            ]
        }
    }

    private static func label(_ metric: OutcomeMetric) -> String {
        switch metric {
        case .conversion: "Conversion rate"
        case .revenue: "Revenue per visitor"
        case .cappedRevenue: "Revenue per visitor, largest capped"
        case .clickThrough: "Clicks per list"
        }
    }

    private static func comparisons(_ report: ExperimentReport) -> [ViewModel] {
        report.comparisons.map { comparison in
            let figure = FigureText(metric: comparison.metric, currency: report.currency)
            let effect = comparison.effect
            func percent(_ value: Double) -> String { (value > 0 ? "+" : "") + PageFormat.percent(value) }
            return [
                "metric": .text(label(comparison.metric)), "isPrimary": .bool(comparison.isPrimary),
                "arm": .text(report.experiment.arms[comparison.arm].name),
                "difference": .text(effect.map { figure.difference($0.difference) }),
                "interval": .text(effect.map { "\(figure.difference($0.lower)) to \(figure.difference($0.upper))" } ?? ""),
                "relative": .text(
                    effect?.relative.map { "\(percent($0.difference)) (\(percent($0.lower)) to \(percent($0.upper)))" } ?? "–"),
                "p": .text(comparison.adjustedPValue.map { $0 < 0.001 ? "< 0.001" : PageFormat.decimal($0, places: 3) } ?? "–"),
            ]
        }
    }

    private static func charts(_ report: ExperimentReport) -> [ViewModel] {
        let metrics: [(OutcomeMetric, StaticString)] = [
            (.conversion, "conversion"), (.revenue, "revenue"), (.clickThrough, "click-through"),
        ]
        return metrics.compactMap { metric, id in
            let figure = FigureText(metric: metric, currency: report.currency)
            let rows = report.comparisons.filter { $0.metric == metric }.compactMap { comparison in
                comparison.effect.map {
                    IntervalChart.Row(
                        label: report.experiment.arms[comparison.arm].name, estimate: $0.difference, lower: $0.lower, upper: $0.upper)
                }
            }
            guard !rows.isEmpty else { return nil }
            let title = "\(label(metric)): difference to \(report.experiment.arms[0].name) with its 95 % interval"
            return [
                "chartTitle": .text(title), "chart": .html(IntervalChart(id: id, title: title, rows: rows, format: figure.difference).html),
            ]
        }
    }

    private static func definitions(_ report: ExperimentReport, _ format: PageFormat) -> [ViewModel] {
        let experiment = report.experiment
        let window = PageFormat.count(experiment.windowDays, "day", "days")
        let texts: [(String, String)] = [
            ("Placement", experiment.placementTitle),
            ("Primary metric", ExperimentPages.name(of: experiment.primaryMetric) + ": it alone decides"),
            ("Unit", "the visitor: the anonymous id of a browser, or the user where there is none; fixed for its life"),
            ("Exposure", "the first list of an arm that was answered for the visitor; stored once, never changed"),
            ("Converting event", "\(experiment.convertingEvent), at least once in the window"),
            ("Window", "\(window) from the visitor's own first exposure; what came before or comes after counts nowhere"),
            (
                "Revenue",
                "price × quantity of purchases in \(report.currency); an order counts once by its id, refunds are negative, other currencies are set aside"
            ),
            ("Clicks per list", "clicks on lists of the experiment for each list shown, with the visitor as the unit (delta method)"),
            ("Test", "fixed end, read once: Welch's test on means, 95 % intervals; under 30 conversions in an arm Newcombe's interval"),
            ("Several arms or metrics", "p is adjusted by Holm over the arms for the primary metric, by Benjamini-Hochberg for the others"),
            ("Takes part", PageFormat.percent(experiment.coverage, places: 0) + " of the placement's visitors"),
            ("Started", experiment.startedAt.map { format.time.text($0) } ?? "not yet"),
            (
                "Planned end",
                format.time.text(experiment.plannedEndAt) + "; then it stops by itself and everybody sees what the placement has"
            ),
            (
                "Stopped",
                experiment.stoppedAt.map { format.time.text($0) + (experiment.stopReason.map { $0.isEmpty ? "" : ": \($0)" } ?? "") }
                    ?? "no"
            ),
            ("Time zone", report.timeZone), ("Made by", experiment.createdBy),
        ]
        return texts.map { ["term": .text($0.0), "text": .text($0.1)] as ViewModel }
    }

    private static func notes(_ report: ExperimentReport) -> [ViewModel] {
        var notes: [String] = []
        if report.foreignAmounts > 0 {
            notes.append(
                "\(PageFormat.count(report.foreignAmounts, "amount", "amounts")) in another currency than \(report.currency): in no sum.")
        }
        let capped = report.totals.reduce(0) { $0 + $1.cappedUnits }
        if capped > 0 {
            notes.append("\(PageFormat.count(capped, "visitor's revenue was", "visitors' revenues were")) capped for the capped figure.")
        }
        return notes.map { ["note": .text($0)] as ViewModel }
    }
}
