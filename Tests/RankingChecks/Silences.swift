import Foundation
import Ranking

/// The longest time between two progress reports of each recipe's fit, which is how long a cancelled fit may go on.
struct Silences {
    private var data = TrainingData(eventTypeNames: ["View", "Purchase", "Watch"])

    /// Histories of 100 events; items of skewed popularity in neighborhoods, one for every 250 events; texts and categories.
    init(events: Int) {
        let users = max(100, events / 100)
        let items = Int32(max(100, events / 250))
        var state: UInt64 = 1
        func draw() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11) / Double(1 << 53)
        }
        for step in 0..<events / users {
            for user in 0..<users {
                let home = Double(user % 97) / 97
                let away = pow(draw(), 3) * 0.3
                let item = Int32((home + away).truncatingRemainder(dividingBy: 1) * Double(items))
                data.append(
                    user: Int32(user), item: item, eventType: UInt8((user + step) % 3), value: .nan,
                    timestamp: Int64(step) * 40_000 + Int64(draw() * 40_000))
            }
        }
        var categories = CategoryLists()
        for item in 0..<items { categories.append(["block \(item / 50)", "shade \(item % 7)"]) }
        let titles = (0..<items).map { "Number \($0) of harbour \($0 / 20) in region \($0 / 300)" }
        data.itemMetadata = MetadataTable(
            ids: (0..<items).map { $0 },
            columns: [
                MetadataColumn(name: "GENRES", values: .categories(categories)), MetadataColumn(name: "TITLE", values: .texts(titles)),
            ])
    }

    func measure(_ recipes: [RecipeName]) throws {
        for recipe in recipes {
            var spans: [(seconds: Double, share: Double, sentence: String)] = []
            var last = (time: Date(), share: 0.0, sentence: "the start")
            let start = last.time
            func note(_ share: Double, _ sentence: String) {
                spans.append((Date().timeIntervalSince(last.time), last.share, last.sentence))
                last = (Date(), share, sentence)
            }
            _ = try fitAndEvaluate(data, FitConfiguration(recipe: recipe, threads: 2)) { share, sentence in
                note(share, sentence)
                return true
            }
            note(1, "the end")
            Checks.tell("\(recipe.rawValue): \(rounded(Date().timeIntervalSince(start))) s")
            for span in spans.sorted(by: { $0.seconds > $1.seconds }).prefix(3) where span.seconds > 0.5 {
                Checks.tell("  silent for \(rounded(span.seconds)) s at \(rounded(span.share)) after: \(span.sentence)")
            }
        }
    }

    private func rounded(_ number: Double) -> Double { (number * 100).rounded() / 100 }
}
