import Foundation
import JSON
import Ranking

/// The figures of one evaluation, as text and as JSON.
struct EvaluationReport {
    /// A figure with its values of all recipes.
    struct Row {
        var name: String
        var estimates: [Bootstrap.Estimate]
        /// Of the second recipe and on, less the first.
        var differences: [Bootstrap.Estimate]
    }

    var labels: [String]
    var rows: [Row]
    var sentences: [String]
    /// Per recipe; empty for lists from elsewhere.
    var costs: [JudgedRecipe] = []

    static let drawCount = 1000

    init(_ judge: Judge, _ runs: [JudgedRecipe], folder: String, split: String, seed: UInt64) {
        let data = judge.loaded.interactions
        self.init(
            labels: runs.map(\.label), lists: runs.map(\.lists), groups: judge.split.queries.map(\.group), catalog: judge.catalog,
            seed: seed, threads: judge.threads)
        let time = String(format: "%.2f", judge.loaded.seconds)
        sentences =
            [
                "Data \(folder): \(data.count) interactions, \(judge.loaded.users.count) users, \(judge.loaded.items.count) items, read in \(time) s.",
                "Split \(split): \(judge.split.training.count) interactions learned from, \(judge.split.queries.count) queries tested.",
            ] + judge.split.sentences
            + [
                judge.split.removesSeen ? "Items of the history are left out of lists and truth." : "Items of the history may be listed.",
                "All \(judge.split.candidates?.count ?? judge.catalog.itemCount) items are ranked, none are sampled. Events of one second stand in file order.",
            ] + sentences
        costs = runs
    }

    /// - Parameter lists: of each label, over the same queries.
    init(labels: [String], lists: [OfflineLists], groups: [Int32], catalog: CatalogProfile, seed: UInt64, threads: Int) {
        self.labels = labels
        let width = ListMetric.all.count
        var values: [Float] = []
        values.reserveCapacity(groups.count * width * lists.count)
        for row in groups.indices {
            for list in lists { values += list.scores[row * width..<(row + 1) * width] }
        }
        let bootstrap = Bootstrap(
            values: values, columns: width * lists.count, groups: groups, draws: Self.drawCount, seed: seed, threads: threads)
        rows = ListMetric.all.enumerated().map { column, metric in
            Row(
                name: metric.name, estimates: lists.indices.map { bootstrap.estimate($0 * width + column) },
                differences: lists.indices.dropFirst().map { bootstrap.difference($0 * width + column, minus: column) })
        }
        for cutoff in [10, 100] {
            let covered = lists.map {
                Coverage(
                    lists: $0.items, depth: ListMetric.depth, cutoff: cutoff, groups: groups, catalog: catalog, seed: seed)
            }
            guard let first = covered.first else { continue }
            rows.append(
                Row(
                    name: "coverage@\(cutoff)", estimates: covered.map(\.estimate),
                    differences: covered.dropFirst().map { $0.difference(minus: first) }))
        }
        sentences = [
            "Intervals hold 95 % of \(Self.drawCount) bootstrap draws of the test users (coverage: 1.96 standard errors of 200 draws), seed \(seed)."
        ]
    }

    var text: String {
        var lines = sentences
        for cost in costs {
            lines.append(
                "\(cost.label): fit \(cost.fit.text), rank \(cost.rank.text), \(Int(Double(cost.lists.scores.count / ListMetric.all.count) / max(cost.rank.cpuSeconds, 1e-9))) lists per CPU-s."
            )
        }
        lines.append("")
        let width = max(28, (labels.map(\.count).max() ?? 0) + 2)
        lines.append(padded("metric", 15) + labels.map { padded($0, width) }.joined())
        for row in rows { lines.append(padded(row.name, 15) + row.estimates.map { padded(Self.text(of: $0), width) }.joined()) }
        for (index, label) in labels.enumerated().dropFirst() {
            lines += ["", "\(label) less \(labels[0]), paired"]
            for row in rows { lines.append(padded(row.name, 15) + Self.text(of: row.differences[index - 1], signed: true)) }
        }
        return lines.map { $0.trimmingSuffix { $0 == " " } }.joined(separator: "\n") + "\n"
    }

    private static func text(of estimate: Bootstrap.Estimate, signed: Bool = false) -> String {
        String(format: signed ? "%+.4f [%+.4f, %+.4f]" : "%.4f [%.4f, %.4f]", estimate.value, estimate.lower, estimate.upper)
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    var json: String {
        let recipes = labels.indices.map { index -> JSONValue in
            var object: JSONObject = ["name": .string(labels[index])]
            if index < costs.count {
                object["fit"] = costs[index].fit.json
                object["rank"] = costs[index].rank.json
                object["log"] = .array(costs[index].log.map { .string($0) })
            }
            object["metrics"] = Self.object(rows.map { ($0.name, $0.estimates[index]) })
            if index > 0 { object["less_first"] = Self.object(rows.map { ($0.name, $0.differences[index - 1]) }) }
            return .object(object)
        }
        return JSONValue.object(["notes": .array(sentences.map { .string($0) }), "recipes": .array(recipes)]).text
    }

    private static func object(_ estimates: [(String, Bootstrap.Estimate)]) -> JSONValue {
        .object(
            JSONObject(
                members: estimates.map { name, estimate in
                    .init(name: name, value: [.double(estimate.value), .double(estimate.lower), .double(estimate.upper)])
                }))
    }
}

extension ResourceUse {
    var text: String { String(format: "%.2f s (CPU %.2f s, peak %d MB)", seconds, cpuSeconds, peakBytes >> 20) }

    var json: JSONValue {
        ["seconds": .double(seconds), "cpu_seconds": .double(cpuSeconds), "peak_bytes": .integer(Int64(peakBytes))]
    }
}

extension String {
    fileprivate func trimmingSuffix(_ isDropped: (Character) -> Bool) -> Substring {
        var end = endIndex
        while end > startIndex, isDropped(self[index(before: end)]) { end = index(before: end) }
        return self[..<end]
    }
}
