import Statistics
import Tastemaker

/// A campaign's exploration in sentences.
enum ExplorationText {
    static func sentences(_ report: ExplorationReport) -> [String] {
        let all = report.explored.shown + report.own.shown
        guard all > 0 else { return ["No list of the last \(report.days) days left a place to chance."] }
        var sentences = [
            "New items got \(PageFormat.number(report.explored.shown)) of \(PageFormat.number(all)) places that were left to chance in the last "
                + "\(report.days) days."
        ]
        if let new = report.explored.share, let own = report.own.share {
            sentences.append(
                "Visitors did something on \(PageFormat.percent(new, places: 2)) of the new items' places, and on "
                    + "\(PageFormat.percent(own, places: 2)) of those that kept the ranking's own item.")
        }
        if let mean = report.withoutExploration.mean, let error = report.withoutExploration.standardError {
            let now = Double(report.explored.met + report.own.met) / Double(all)
            sentences.append(
                "Without exploration it would have been an estimated \(PageFormat.percent(mean, places: 2)) of all of them (95 % interval "
                    + "\(PageFormat.percent(max(0, mean - 1.96 * error), places: 2)) to \(PageFormat.percent(mean + 1.96 * error, places: 2))); "
                    + "with it, it was \(PageFormat.percent(now, places: 2)). The difference is what learning about new items costs.")
        }
        return sentences
    }
}
