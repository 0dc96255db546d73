import FilterLanguage
import Foundation
import Ranking

extension Recommending {
    /// How this answer comes about, step by step, for people who ask why.
    func trace(_ plan: RequestPlan, _ rules: LiveRules, _ allowed: RowBitmap?, _ source: CandidateSource?) -> [String] {
        var steps: [String] = []
        if let arm = plan.arm, let experiment = plan.experiment {
            steps.append("The experiment '\(experiment.name)' puts this visitor into the arm '\(arm.name)'.")
        }
        for (filter, _) in plan.filters { steps.append("The filter '\(filter.name)' applies.") }
        if let allowed { steps.append("\(allowed.popCount) of \(catalogue.keys.keyCount) items may be shown.") }
        if case .model(let model, let query)? = source, let campaign = plan.campaign {
            let known = query.history.count { model.model.rowOfItem($0.item) != nil }
            let events = history.isEmpty ? "; the visitor has no history." : " and \(known) of \(history.count) events of the history."
            steps.append(
                "The campaign '\(campaign.name)' answers with a model of \(campaign.recipe.rawValue) that knows \(model.model.itemCount) items"
                    + events)
        }
        if case .trending(let items, let model, _)? = source, let trend = model.trend {
            steps.append(
                "Counted now: \(items.count { $0.isRising }) of \(items.count) items have risen beyond chance in the newest "
                    + "\(trend.window / 60) minutes; what was popular at the last training fills the list.")
        }
        steps += rules.live.compactMap { id in
            let name = rules.promotion(id)?.name ?? group.promotions.first { $0.id == id }?.name ?? "\(id)"
            return rules.held.contains(id)
                ? "The promotion '\(name)' is live, but this visitor is in its hold-out." : "The promotion '\(name)' is live."
        }
        return steps
    }

    /// How much what is the same for everybody, and who asks in what context, lift or lower the first items.
    func partNotes(_ choice: Choice, _ model: ServedModel) -> [String] {
        [
            note("Being popular lately", choice, \.popularityPart), note("Being chosen or passed over when shown", choice, \.choicePart),
            model.model.objectiveAttribute.flatMap { note("The objective \($0)", choice, \.objectivePart) },
            note("Who asks, and in what context,", choice, \.situationPart),
        ].compactMap(\.self)
    }

    /// Nil when no item has such a part.
    private func note(_ what: String, _ choice: Choice, _ part: KeyPath<Candidate, Float?>) -> String? {
        let parts = choice.items.prefix(5).compactMap { chosen in
            chosen.candidate[keyPath: part].flatMap { part in
                catalogue.keys.text(chosen.candidate.item).map { "\($0) \(String(format: "%+.3f", part))" }
            }
        }
        return parts.isEmpty ? nil : "\(what) changes scores, the best of which is about 1: \(parts.joined(separator: ", "))."
    }
}
