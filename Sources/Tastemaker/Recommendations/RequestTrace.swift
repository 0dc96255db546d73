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
            steps.append(
                "The campaign '\(campaign.name)' answers with solution version \(model.versionID) (\(campaign.recipe.rawValue), "
                    + "\(model.model.itemCount) items); it knows \(known) of \(history.count) events of the history.")
        }
        if case .trending(let items, let model, _)? = source, let trend = model.trend {
            steps.append(
                "Counted now: \(items.count { $0.isRising }) of \(items.count) items have risen beyond chance in the newest "
                    + "\(trend.window / 60) minutes; solution version \(model.versionID) fills the list.")
        }
        steps += rules.live.compactMap { id in
            let name = rules.promotion(id)?.name ?? group.promotions.first { $0.id == id }?.name ?? "\(id)"
            return rules.held.contains(id)
                ? "The promotion '\(name)' is live, but this visitor is in its hold-out." : "The promotion '\(name)' is live."
        }
        return steps
    }

    /// How much the model's objective, and who asks in what context, lift or lower the first items.
    func partNotes(_ choice: Choice, _ model: ServedModel) -> [String] {
        let objective = model.model.objectiveAttribute.flatMap { parts("The objective \($0) changes", choice) { $0.objectivePart } }
        let situation = parts("The user's attributes and the context change", choice) { $0.situationPart }
        return [objective, situation].compactMap { $0 }
    }

    /// Nil when no item has such a part.
    private func parts(_ what: String, _ choice: Choice, _ part: (Candidate) -> Float?) -> String? {
        let parts = choice.items.prefix(5).compactMap { chosen in
            part(chosen.candidate).flatMap { part in
                catalogue.keys.text(chosen.candidate.item).map { "\($0) \(String(format: "%+.3f", part))" }
            }
        }
        return parts.isEmpty ? nil : "\(what) scores, the best of which is about 1: \(parts.joined(separator: ", "))."
    }
}
