import Foundation

/// Judges segments as the contract does: learns from four fifths of every user's interactions and looks for the users of the
/// others in the top 1 % of all users, for each item or attribute value; all users are ranked.
struct SegmentEvaluation {
    private let matrix: InteractionMatrix
    private let configuration: FitConfiguration

    /// Items or attribute values that are tested, drawn by the seed.
    private static let queryLimit = 300
    private static let topShare = 0.01

    init(_ data: TrainingData, _ configuration: FitConfiguration) throws(FitError) {
        matrix = try InteractionMatrix(data, configuration)
        self.configuration = configuration
    }

    func run(_ span: ProgressSpan) throws(FitError) -> Evaluation {
        let split = AudienceSplit(matrix, seed: configuration.seed)
        guard !split.truth.isEmpty, split.training.count > 0 else {
            return Evaluation(metrics: [:], testUserCount: 0, log: ["No metrics: no user has two interactions."])
        }
        let fitted = try fit(split.training, configuration, span.part(0, 0.85))
        let model: Model
        do throws(ModelError) { model = try fitted.opened() } catch { throw .unusableData(error.message) }
        guard let recipe = model.family as? SegmentRecipe else { throw .unusableData("The model keeps no users.") }
        var evaluation = Evaluation(metrics: [:], testUserCount: split.truth.count, log: fitted.log)
        evaluation.blend = fitted.blend
        evaluation.audience = recipe.audience
        evaluation.metrics["coverage"] = Double(model.segmentUserCount) / Double(matrix.userCount)
        let questions = questions(recipe, split)
        guard !questions.isEmpty else {
            evaluation.log.append("No hits are reported: nobody interacted with a known item in the held-out fifth.")
            return evaluation
        }
        let found = try judge(recipe, questions, span.part(0.85, 0.95))
        evaluation.metrics["hits_at_1_percent"] = found.hits
        evaluation.metrics["recall_at_1_percent"] = found.recall
        var plain = recipe
        plain.audience = .activity
        let byActivity = try judge(plain, questions, span.part(0.95, 1))
        withExtendedLifetime(model) {}
        evaluation.log.append(
            "Evaluated on \(questions.count) segments of \(top) users: \(percent(found.recall)) of the held-out users found; by activity "
                + "alone it would be \(percent(byActivity.recall)).")
        return evaluation
    }

    private func percent(_ share: Double) -> String { "\(decimals(share * 100, 1)) %" }

    /// Users in one per cent of all.
    private var top: Int { max(1, Int((Double(matrix.userCount) * Self.topShare).rounded(.up))) }

    /// Mean number, and share, of the true users in the top of each segment.
    private func judge(
        _ recipe: SegmentRecipe, _ questions: [Question], _ span: ProgressSpan
    ) throws(FitError) -> (hits: Double, recall: Double) {
        let options = SegmentOptions(count: top, threads: configuration.threads)
        let lists = try recipe.best(top, of: questions.map(\.target), at: Array(questions.indices), options, span)
        var hits = 0.0
        var recall = 0.0
        for (question, list) in zip(questions, lists) {
            let found = Double(list.count { question.users.contains($0.user) })
            hits += found
            recall += found / Double(question.users.count)
        }
        return (hits / Double(questions.count), recall / Double(questions.count))
    }

    private struct Question {
        var target: AudienceTarget
        /// Ids of the users who interacted in the held-out part.
        var users: Set<Int32>
    }

    private func questions(_ recipe: SegmentRecipe, _ split: AudienceSplit) -> [Question] {
        var usersOfItem: [Int32: Set<Int32>] = [:]
        for (user, items) in split.truth { for item in items { usersOfItem[item, default: []].insert(user) } }
        let queries: [SegmentQuery]
        if configuration.recipe == .itemAttributeAffinity {
            queries = recipe.attributes.singleValues.map { .attributes($0) }
        } else {
            queries = usersOfItem.keys.sorted().map { .item($0) }
        }
        let seed = RandomSource.mix(configuration.seed ^ 0x5E61)
        let order = queries.indices.map { (RandomSource.mix(seed ^ UInt64($0)), $0) }.sorted { $0 < $1 }.map(\.1)
        var questions: [Question] = []
        for index in order where questions.count < Self.queryLimit {
            guard let target = try? recipe.target(queries[index]) else { continue }
            var users = Set<Int32>()
            for row in target.rows { users.formUnion(usersOfItem[recipe.itemIDs.buffer[Int(row)]] ?? []) }
            if !users.isEmpty { questions.append(Question(target: target, users: users)) }
        }
        return questions
    }
}
