import JSON
import Ranking
import Statistics
import Testing

@testable import Console
@testable import Tastemaker

@Suite struct VersionReportTests {
    @Test func `the curves of a training are read from what the model says of itself`() throws {
        let report = VersionReport([
            "properties": [
                "blend.0": "factors", "blend.0.weight": "2", "blend.1": "choices", "blend.1.weight": "1", "tried.factors": "0.1",
                "curve.0": "factors 0.1000", "curve.1": "choices 0.1200", "losses.factors": "98.5 71.9 68.8",
            ]
        ])
        #expect(report.losses == [98.5, 71.9, 68.8])
        #expect(report.curve.map(\.part) == ["factors", "choices"])
        #expect(report.chosen.map(\.name) == ["factors", "choices"])
        #expect(PartText.title("choices") == "Chosen when shown" && !PartText.meaning("choices").isEmpty)
    }

    @Test(arguments: [
        ("coverage", RecipeName.itemAffinity), ("hits_at_1_percent", .itemAffinity), ("recall_at_1_percent", .itemAttributeAffinity),
        ("auc", .nextBestAction), ("coverage", .nextBestAction), ("log_loss", .nextBestAction),
        ("average_rewards_at_k", .userPersonalization),
        ("normalized_discounted_cumulative_gain_with_event_weights_at_k", .userPersonalizationV2), ("coverage", .sims),
        ("trend_prediction_accuracy", .trendingNow), ("mean_reciprocal_rank_at_25", .sims), ("coverage@10", .sims),
    ])
    func `a figure has words for its recipe`(_ name: String, _ recipe: RecipeName) {
        let text = MetricText(name, recipe)
        #expect(text.title != name && !text.meaning.isEmpty)
    }

    @Test func `a difference is better or worse only beyond chance`() {
        let sharp = SamplingError(standardError: 0.001, userCount: 500)
        let blunt = SamplingError(standardError: 0.1, userCount: 500)
        let few = SamplingError(standardError: 0.001, userCount: 29)
        func verdict(_ value: Double, _ errors: (SamplingError?, SamplingError?), more: Bool? = true, same: Bool = true) -> String? {
            MetricDifference(value, moreIsBetter: more, errors: errors, isSameData: same).verdict
        }
        #expect(verdict(0.01, (sharp, sharp), same: false) == "beyond chance")
        #expect(verdict(0.01, (sharp, blunt), same: false) == "within chance")
        #expect(verdict(0.01, (sharp, sharp)) == "better" && verdict(-0.01, (sharp, sharp)) == "worse")
        #expect(verdict(0.01, (sharp, sharp), more: false) == "worse" && verdict(0.01, (sharp, sharp), more: nil) == nil)
        #expect(verdict(0.01, (sharp, blunt)) == "within chance" && verdict(0, (sharp, sharp)) == nil)
        #expect(verdict(0.01, (sharp, nil)) == "chance not known" && verdict(0.01, (few, sharp)) == "chance not known")
        #expect(MetricDifference(0.01, moreIsBetter: true, errors: (sharp, sharp), isSameData: true).interval == "+0.0072 to +0.0128")
        #expect(MetricDifference(0.01, moreIsBetter: true, errors: (nil, nil), isSameData: true).interval == nil)
        #expect(MetricDifference.explanation(["a": sharp], ["a": few], isSameData: true).contains("500 here and 29 there"))
        #expect(!MetricDifference.explanation([:], ["a": few], isSameData: true).contains("29"))
    }

    @Test func `coverage is of what the recipe answers with`() {
        let recipes: [RecipeName] = [.sims, .itemAffinity, .nextBestAction]
        #expect(Set(recipes.map { MetricText("coverage", $0).meaning }).count == 3)
        #expect(MetricText("coverage@10", .sims).title == "Items that appear in the first 10")
        #expect(MetricText("ndcg@10", .nextBestAction).meaning.isEmpty)
    }

    @Test(arguments: RecipeName.allCases) func `what stands for a version's quality has words`(_ recipe: RecipeName) {
        #expect(!MetricText(MetricText.lead(recipe), recipe).meaning.isEmpty)
    }

    @Test func `what exploration found is told with its cost, or that there was none`() {
        var report = ExplorationReport(days: 28)
        #expect(ExplorationText.sentences(report) == ["No list of the last 28 days left a place to chance."])
        report.explored = .init(shown: 1_000, met: 10)
        report.own = .init(shown: 3_000, met: 90)
        for place in 0..<3_000 { report.withoutExploration.add(reward: place < 90 ? 1 : 0, propensity: 0.75, target: 1) }
        let sentences = ExplorationText.sentences(report)
        #expect(sentences.count == 3 && sentences[0].contains("1,000 of 4,000 places"))
        #expect(sentences[1].contains("1.00 % of the new items' places") && sentences[1].contains("3.00 % of those"))
        #expect(sentences[2].contains("an estimated 3.00 %") && sentences[2].contains("with it, it was 2.50 %"))
    }

    @Test func `a version without curves has none`() {
        let told = VersionReport([
            "properties": [
                "blend.0": "ease", "blend.0.weight": "0", "blend.0.return_weight": "2", "blend.1": "ease", "blend.1.weight": "3",
                "blend.1.return_weight": "0", "blend.2": "popularity", "blend.2.weight": "0", "blend.2.return_weight": "2",
                "blend.3": "factors", "blend.3.weight": "1", "blend.3.return_weight": "0", "tried.popularity": "0.1",
            ]
        ])
        #expect(told.chosen.map(\.name) == ["ease", "factors", "popularity"] && told.leftOut.isEmpty)
        #expect(told.chosen.map(\.share) == [0.75, 0.25, 0] && told.chosen.map(\.returnShare) == [0.5, 0, 0.5])
        #expect(VersionReport(nil).losses.isEmpty)
        #expect(VersionReport(["properties": ["losses.factors": ""]]).losses.isEmpty)
    }
}
