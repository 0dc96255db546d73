import Ranking

/// What an offline figure of a recipe is called and says.
struct MetricText {
    let title: String
    let meaning: String
    /// Whether more of it is better; nil where that is a matter of taste.
    let moreIsBetter: Bool?

    private init(_ title: String, _ meaning: String, more: Bool? = true) {
        (self.title, self.meaning, moreIsBetter) = (title, meaning, more)
    }

    init(_ name: String, _ recipe: RecipeName) {
        let parts = Self.evaluateName(name).split(separator: "@")
        let first = String(parts.first ?? "")
        let own = recipe.description.proposesActions ? Self.ofActions : recipe.description.makesSegments ? Self.ofSegments : Self.ofLists
        guard let known = own(first) else {
            self.init(name, "", more: nil)
            return
        }
        let places = parts.count > 1 ? " in the first \(parts[1])" : ""
        let isOfLists = first == "coverage" && parts.count > 1
        self.init(
            (isOfLists ? "Items that appear" : known.title) + places,
            isOfLists ? "share of all items that stood in anybody's list" : known.meaning, more: known.moreIsBetter)
    }

    /// The name that `tastemaker evaluate` prints for a metric of the contract: `ndcg@10`.
    static func evaluateName(_ name: String) -> String {
        for (long, short) in [
            ("normalized_discounted_cumulative_gain_at_", "ndcg@"), ("mean_reciprocal_rank_at_", "mrr@"), ("precision_at_", "precision@"),
        ] where name.hasPrefix(long) { return short + name.dropFirst(long.count) }
        return name
    }

    /// The metric that stands for the others in lists of versions.
    static func lead(_ recipe: RecipeName) -> String {
        let description = recipe.description
        if description.proposesActions { return "auc" }
        if description.makesSegments { return "recall_at_1_percent" }
        let isTrend = recipe == .trendingNow || recipe == .vodTrendingNow
        return isTrend ? "trend_prediction_accuracy" : "normalized_discounted_cumulative_gain_at_10"
    }

    /// How the figures were come by.
    static func origin(_ recipe: RecipeName) -> String {
        if recipe.description.proposesActions {
            return "The newest period was held out of the training; who took which action in it was to be foretold."
        }
        if recipe.description.makesSegments {
            return "A fifth of what everybody did was held out of the training; who did it was to be found among all people."
        }
        return "People were held out of the training; their newest events were to be foretold, with every item ranked."
    }

    private static func ofLists(_ name: String) -> MetricText? {
        switch name {
        case "ndcg": MetricText("Hits by place", "hits weighted by their place, 1 is perfect (NDCG)")
        case "mrr": MetricText("First hit", "one over the place of the first hit, on average (MRR)")
        case "precision": MetricText("Hits per place", "share of the recommended that was a hit")
        case "recall": MetricText("Found again", "share of what somebody met next that the list foretold")
        case "hit": MetricText("Lists with a hit", "share of people whose list held at least one thing that they met next")
        case "coverage": MetricText("Items known to the model", "share of the items that can be recommended", more: nil)
        case "novelty": MetricText("Novelty", "bits of surprise: each more halves the people who know the item", more: nil)
        case "popular":
            MetricText("Most popular tenth", "share of the places that go to the tenth of the items with the most people", more: nil)
        case "average_rewards_at_k":
            MetricText("Objective early in lists", "of the objective's values among the hits of long lists, the share in the first 25")
        case "normalized_discounted_cumulative_gain_with_event_weights_at_k":
            MetricText("Hits by place and event", "hits weighted by their place and by the weight of what was done (NDCG)")
        case "trend_prediction_accuracy":
            MetricText("Trends foretold", "people gained by the items it named, as a share of what the best choice would have gained")
        default: nil
        }
    }

    private static func ofActions(_ name: String) -> MetricText? {
        switch name {
        case "precision": MetricText("Proposed and taken", "of those to whom an action is among the best, the share who take it")
        case "recall": MetricText("Taken and proposed", "of those who take an action, the share to whom it was among the best")
        case "coverage": MetricText("Actions with a probability", "share of the actions with enough responses to learn from", more: nil)
        case "auc":
            MetricText(
                "Takers above others", "chance that who took an action has a higher score than who did not (area under the ROC curve)")
        case "log_loss":
            MetricText(
                "Loss of the probabilities",
                "of an action, minus the logarithm of the probability given to what happened; less is better", more: false)
        case "base_log_loss":
            MetricText(
                "Loss of plain frequencies", "the same if everybody had the probability with which the action is taken", more: nil)
        case "brier":
            MetricText(
                "Squared error of the probabilities", "mean square of what a probability is wrong by (Brier score); less is better",
                more: false)
        default: nil
        }
    }

    private static func ofSegments(_ name: String) -> MetricText? {
        switch name {
        case "coverage": MetricText("People known to the model", "share of the people who can stand in a segment", more: nil)
        case "hits_at_1_percent":
            MetricText("People found", "of those who were to be found, how many stand in the best hundredth of all people")
        case "recall_at_1_percent":
            MetricText("Share of people found", "of those who were to be found, the share in the best hundredth of all people")
        default: nil
        }
    }
}
