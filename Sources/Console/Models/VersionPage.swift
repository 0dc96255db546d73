import JSON
import Ranking
import Tastemaker
import Web

/// A solution version: how it was trained, how good it is, what it is made of and what its lists are like, beside another version if asked.
enum VersionPage {
    /// The version of the page and the one it is compared with.
    private struct Pair {
        let version: SolutionVersion
        let report: VersionReport
        let other: SolutionVersion?
        let otherReport: VersionReport?

        /// As far as counts tell.
        var isSameData: Bool {
            func counts(_ version: SolutionVersion?) -> [Int64?] {
                [version?.interactionCount, version?.report?["users"]?.intValue, version?.report?["items"]?.intValue]
            }
            return counts(version) == counts(other)
        }
    }

    static func show(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let version = try SolutionPages.findVersion(visit)
        let others = try visit.environment.listSolutionVersions(
            solutionARN: visit.arn(.solution, version.solution.name), PageRequest(), by: visit.caller
        ).items.filter { $0.status == .active && $0.id != version.id }
        let wanted = try visit.request.query("with")
        let other = others.first { $0.suffix == wanted }
        let pair = Pair(
            version: version, report: VersionReport(version.report), other: other, otherReport: other.map { VersionReport($0.report) })
        return try visit.render(
            "models/version",
            try head(visit, group, version).merging(comparison(pair, others, group)).merging(figures(pair)).merging(blend(pair))
                .merging(popularity(pair.report)).merging(trials(try visit.environment.finishedTrials(of: version, by: visit.caller))))
    }

    private static func head(_ visit: Visit, _ group: DatasetGroup, _ version: SolutionVersion) throws -> ViewModel {
        let work = try JobPages.live(visit, payloadMember: "solutionVersionID", value: version.id)
        return [
            "solution": .text(version.solution.name), "solutionURL": .url(.solution(version.solution.name, group)),
            "name": .text(version.suffix), "status": StatusBadge.value(version.status), "failure": .text(version.failureReason),
            "isRunning": .bool(StatusBadge.isUnsettled(version.status)),
            "work": work.map { .object(JobPages.row($0, visit, group)) } ?? false,
            "canStop": .bool(visit.may(.operators) && [.createPending, .createInProgress].contains(version.status)),
            "stopURL": .url(.page(group, "solutions", version.solution.name, version.suffix, "stop")),
        ]
    }

    // MARK: Two versions

    private static func comparison(_ pair: Pair, _ others: [SolutionVersion], _ group: DatasetGroup) -> ViewModel {
        let format = PageFormat(group)
        let mine = facts(pair.version, format)
        let theirs = Dictionary(pair.other.map { facts($0, format) } ?? []) { first, _ in first }
        let choices = others.map { (value: $0.suffix, label: "\($0.suffix), trained \(format.time.text($0.updatedAt))") }
        return [
            "facts": .list(mine.map { ["label": .text($0.0), "value": $0.1, "other": theirs[$0.0] ?? "–"] }),
            "canCompare": .bool(!others.isEmpty), "isCompared": .bool(pair.other != nil), "otherName": .text(pair.other?.suffix),
            "others": FormState().options("with", [(value: "", label: "none")] + choices, default: pair.other?.suffix ?? ""),
            "pageURL": .url(.page(group, "solutions", pair.version.solution.name, pair.version.suffix)),
            "hasLog": .bool(!pair.report.log.isEmpty), "log": .text(pair.report.log.joined(separator: "\n")),
        ]
    }

    private static func facts(_ version: SolutionVersion, _ format: PageFormat) -> [(String, ViewValue)] {
        var facts: [(String, ViewValue)] = [
            ("Started", format.moment(version.createdAt)), ("Last change", format.moment(version.updatedAt)),
            ("Begun", version.trainingType == .manual ? "by hand" : "by schedule"),
        ]
        let proposesActions = version.solution.recipe.description.proposesActions
        if let count = version.interactionCount {
            facts.append((proposesActions ? "Responses" : "Interactions", .text(PageFormat.number(count))))
        }
        if let hours = version.trainingHours {
            facts.append(("Training time", .text(PageFormat.decimal(hours * 3600, places: 1) + " seconds")))
        }
        if let bytes = version.modelBytes { facts.append(("Model file", .text(PageFormat.bytes(bytes)))) }
        for (member, label) in [("seed", "Seed"), ("users", "Users"), ("items", proposesActions ? "Actions" : "Items")] {
            if let value = version.report?[member]?.intValue { facts.append((label, .text(PageFormat.number(value)))) }
        }
        if let bytes = version.report?["peakMemoryBytes"]?.intValue { facts.append(("Peak memory", .text(PageFormat.bytes(bytes)))) }
        return facts + listFacts(VersionReport(version.report))
    }

    /// How large catalogs are searched, and what that was measured to find.
    private static func listFacts(_ report: VersionReport) -> [(String, ViewValue)] {
        report.listReadings.map { reading in
            (
                "Best \(PageFormat.number(reading.depth))",
                .text(
                    "\(PageFormat.percent(reading.found)) found by reading \(PageFormat.number(reading.lists)) of "
                        + "\(PageFormat.number(report.listCount)) lists of vectors, \(PageFormat.percent(reading.read)) of the items")
            )
        }
    }

    // MARK: Figures

    private static func figures(_ pair: Pair) -> ViewModel {
        let mine = values(pair.version, pair.report)
        let theirs = Dictionary(
            pair.other.flatMap { other in pair.otherReport.map { values(other, $0) } } ?? []
        ) { first, _ in first }
        let recipe = pair.version.solution.recipe
        let errors = (pair.version.samplingErrors, pair.other?.samplingErrors ?? [:])
        let rows = mine.map { name, value -> ViewModel in
            let other = theirs[name]
            let text = MetricText(name, recipe)
            let difference = other.map {
                MetricDifference(
                    value - $0, moreIsBetter: text.moreIsBetter, errors: (errors.0[name], errors.1[name]), isSameData: pair.isSameData)
            }
            return [
                "title": .text(text.title), "name": .text(MetricText.evaluateName(name)),
                "value": .text(PageFormat.decimal(value, places: 4)),
                "other": .text(other.map { PageFormat.decimal($0, places: 4) } ?? "–"),
                "difference": .text(difference?.text ?? "–"), "interval": .text(difference?.interval),
                "verdict": .text(difference?.verdict), "meaning": .text(text.meaning),
            ]
        }
        return [
            "hasMetrics": .bool(!rows.isEmpty), "metrics": .list(rows), "origin": .text(MetricText.origin(recipe)),
            "explanation": .text(pair.other.map { _ in MetricDifference.explanation(errors.0, errors.1, isSameData: pair.isSameData) }),
            "hasShortNames": .bool(!recipe.description.proposesActions && !recipe.description.makesSegments),
        ]
    }

    /// The contract's metrics, then the figures that only we report; each figure once.
    private static func values(_ version: SolutionVersion, _ report: VersionReport) -> [(String, Double)] {
        var values = version.metrics.map { ($0.name, $0.value) }
        let known = Set(values.map { MetricText.evaluateName($0.0) })
        for name in ["recall@10", "hit@10", "coverage@10", "novelty@10", "popular@10"] where !known.contains(name) {
            if let value = report.figures[name] { values.append((name, value)) }
        }
        // By name and then by depth: ndcg@5 before ndcg@10. What stands first in the report of a name stays first.
        let names = values.map { MetricText.evaluateName($0.0).split(separator: "@") }
        let firsts = Dictionary(names.enumerated().compactMap { index, parts in parts.first.map { ($0, index) } }) { first, _ in first }
        return zip(values, names).map { value, parts in
            (value, parts.first.flatMap { firsts[$0] } ?? 0, parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        }.sorted { ($0.1, $0.2) < ($1.1, $1.2) }.map(\.0)
    }

    // MARK: The blend

    private static func blend(_ pair: Pair) -> ViewModel {
        let report = pair.report
        let theirs = Dictionary((pair.otherReport?.chosen ?? []).map { ($0.name, $0.share ?? 0) }) { first, _ in first }
        let gone = (pair.otherReport?.chosen ?? []).filter { part in !report.chosen.contains { $0.name == part.name } }
        let rows =
            report.chosen.map { part(String($0.name), share: $0.share, $0, other: theirs[$0.name]) }
            + gone.map { part($0.name, share: nil, nil, other: $0.share) }
        let left = report.leftOut.map { part -> ViewModel in
            ["title": .text(PartText.title(part.name)), "meaning": .text(PartText.meaning(part.name)), "alone": quality(part.alone)]
        }
        return [
            "hasBlend": .bool(!report.chosen.isEmpty), "tellsReturns": .bool(report.chosen.contains { $0.returnShare != nil }),
            "parts": .list(rows), "leftOut": .list(left), "hasLeftOut": .bool(!left.isEmpty),
            "notTried": .list(report.notTried.map { ["text": .text($0)] as ViewModel }),
            "validationQuality": quality(report.quality), "hasValidation": .bool(report.quality != nil),
            "validationUsers": .text(report.validationUsers.map { PageFormat.count($0, "person", "people") } ?? "some people"),
            "hasCurve": .bool(report.curve.count > 1), "curve": curveChart(report.curve), "curveRows": .list(curveRows(report.curve)),
            "hasLosses": .bool(report.losses.count > 1), "lossChart": lossChart(report.losses),
            "losses": .list(lossRows(report.losses)),
        ]
    }

    private static func part(_ name: String, share: Double?, _ part: VersionReport.Part?, other: Double?) -> ViewModel {
        [
            "title": .text(PartText.title(name)), "meaning": .text(PartText.meaning(name)),
            "share": .text(share.map { PageFormat.percent($0, places: 0) } ?? "–"), "bar": share.map { .html(ShareBar.html($0)) } ?? false,
            "returnShare": .text(part?.returnShare.map { PageFormat.percent($0, places: 0) } ?? "–"),
            "alone": quality(part?.alone), "without": quality(part?.without),
            "other": .text(other.map { PageFormat.percent($0, places: 0) } ?? "–"),
        ]
    }

    private static func quality(_ value: Double?) -> ViewValue { .text(value.map { PageFormat.decimal($0, places: 4) } ?? "–") }

    private static func curveChart(_ curve: [(part: String, quality: Double)]) -> ViewValue {
        guard curve.count > 1, let last = curve.last else { return false }
        let chart = LineChart(
            id: "curve", title: "Quality while the blend is put together",
            description: "Validation NDCG@10 rises from \(PageFormat.decimal(curve[0].quality, places: 4)) with one part to "
                + "\(PageFormat.decimal(last.quality, places: 4)) with \(curve.count).",
            labels: curve.indices.map { "\($0 + 1)" }, series: [.init(name: "NDCG@10", values: curve.map(\.quality))],
            format: { PageFormat.decimal($0, places: 3) })
        return .html(chart.html)
    }

    private static func lossChart(_ losses: [Double]) -> ViewValue {
        guard let first = losses.first, let last = losses.last, losses.count > 1 else { return false }
        let chart = LineChart(
            id: "losses", title: "Loss of the taste vectors, round by round",
            description: "The loss per person falls from \(PageFormat.decimal(first, places: 3)) after the first round to "
                + "\(PageFormat.decimal(last, places: 3)) after \(losses.count).",
            labels: losses.indices.map { "\($0 + 1)" }, series: [.init(name: "Loss per person", values: losses)],
            format: { PageFormat.decimal($0, places: 2) })
        return .html(chart.html)
    }

    private static func lossRows(_ losses: [Double]) -> [ViewModel] {
        losses.enumerated().map { index, loss in
            [
                "round": .number(index + 1), "loss": .text(PageFormat.decimal(loss, places: 4)),
                "change": .text(index > 0 ? PageFormat.percent(loss / max(losses[index - 1], 1e-12) - 1, places: 2) : "–"),
            ]
        }
    }

    private static func curveRows(_ curve: [(part: String, quality: Double)]) -> [ViewModel] {
        curve.enumerated().map { index, step in
            let gain = index > 0 ? step.quality - curve[index - 1].quality : step.quality
            return [
                "step": .number(index + 1), "part": .text(PartText.title(step.part)), "quality": quality(step.quality),
                "gain": .text(index > 0 ? MetricDifference.text(gain) : "–"),
            ]
        }
    }

    // MARK: The search for hyperparameters

    private static func trials(_ trials: [FinishedTrial]) -> ViewModel {
        let rows = trials.map { trial -> ViewModel in
            let parameters = (trial.parameters.objectValue?.members ?? []).map { "\($0.name) \($0.value.stringValue ?? $0.value.text)" }
            return [
                "rung": .number(trial.rung + 1), "parameters": .text(parameters.joined(separator: ", ")),
                "quality": .text(trial.quality.map { PageFormat.decimal($0, places: 4) } ?? "could not be fitted"),
                "seconds": .text(PageFormat.decimal(trial.seconds, places: 1)),
            ]
        }
        return ["hasTrials": .bool(!rows.isEmpty), "trials": .list(rows)]
    }

    // MARK: Popularity

    private static func popularity(_ report: VersionReport) -> ViewModel {
        guard report.tenths.count == 10 else { return ["hasTenths": false] }
        let first = report.tenths[0]
        let sentence =
            "The tenth of the items with the most people gets \(PageFormat.percent(first.listed, places: 0)) of the places; it has "
            + "\(PageFormat.percent(first.met, places: 0)) of all meetings of people with items."
        let chart = TenthsChart(
            title: "Places by popularity of the items", description: sentence, names: ("places in lists", "meetings in the data"),
            tenths: report.tenths.map { ($0.listed, $0.met) })
        return [
            "hasTenths": true, "tenthsChart": .html(chart.html), "tenthsSentence": .text(sentence),
            "tenthsUsers": .text(PageFormat.count(report.figureUsers, "person", "people")),
            "coverage": .text(report.figures["coverage@10"].map { PageFormat.percent($0) } ?? "–"),
            "tenths": .list(
                report.tenths.enumerated().map { index, tenth in
                    [
                        "name": .text(index == 0 ? "1 (most popular)" : index == 9 ? "10 (least popular)" : "\(index + 1)"),
                        "listed": .text(PageFormat.percent(tenth.listed)), "met": .text(PageFormat.percent(tenth.met)),
                    ]
                }),
        ]
    }
}
