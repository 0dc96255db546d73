import Kernels

/// How items without events are to be scored by their metadata alone: fitted and weighted on items that are made cold.
struct ColdSelection {
    let matrix: InteractionMatrix
    let configuration: FitConfiguration
    let plan: BlendPlan

    /// A fifth of the items that have events loses them.
    static let share = 5
    static let maximumUsers = 1500
    /// Of these, so many tell how each ingredient reads a history best, and with which ridge.
    static let screeningUsers = 300
    /// Of the regression, on features whose rows have a length near the root of the number of columns.
    static let ridges: [Float] = [8, 2, 32]

    /// Weights for the scores of cold items among themselves, and the ridge; nil when too little is known to tell.
    func choose(_ span: ProgressSpan, log: inout [String]) throws(FitError) -> ColdChoice? {
        guard let features = plan.features, plan.content != nil else { return nil }
        let split = ColdSplit(matrix, features, seed: configuration.seed)
        guard split.users.count >= BlendSelection.minimumUsers else {
            log.append("Too few items with metadata to hold any out: items without interactions go by likeness of metadata.")
            return nil
        }
        let known = Ingredient.allCases.filter { $0.isContent && plan.obstacle($0) == nil }
        var opened: [(part: OpenedPart, ridge: Float)] = []
        for (index, ridge) in Self.ridges.enumerated() {
            var plan = plan
            plan.contentRidge = ridge
            let fitting = IngredientFit(split.training, configuration, plan)
            for ingredient in known where index == 0 || ingredient == .content {
                let part = span.part(0.9 * Double(index) / Double(Self.ridges.count), 0.9 * Double(index + 1) / Double(Self.ridges.count))
                if let fitted = try fitting.fitContent(ingredient, prefix: "part", targets: split.isHidden, part) {
                    opened.append((try fitted.opened(prefix: "part", itemCount: matrix.itemCount, properties: [:]), ridge))
                }
            }
        }
        let columns = opened.flatMap { part, ridge in
            zip(part.rules, part.parts).map { Column(ingredient: part.ingredient, rule: $0, part: $1, ridge: ridge) }
        }
        guard !columns.isEmpty else { return nil }
        let screening = try search(columns, split, split.users.prefix(Self.screeningUsers), span.part(0.9, 0.93))
        let best = screening.bestColumns(try note(screening, columns, &log)).map { columns[$0] }
        let search = try search(best, split, split.users[...], span.part(0.93, 1))
        withExtendedLifetime(opened) {}
        return try choice(search, best.first { $0.ingredient == .content }?.ridge, &log)
    }

    private struct Column {
        var ingredient: Ingredient
        var rule: SourceRule
        var part: any BlendPart
        var ridge: Float
    }

    private func search(
        _ columns: [Column], _ split: ColdSplit, _ users: ArraySlice<ValidationSplit.User>, _ span: ProgressSpan
    ) throws(FitError) -> BlendSearch {
        BlendSearch(
            columns: columns.map { ($0.ingredient, $0.rule) }, cases: try cases(split, Array(users), columns.map(\.part), span),
            threads: configuration.threads, span: span.part(1, 1))
    }

    private func note(_ screening: BlendSearch, _ columns: [Column], _ log: inout [String]) throws(FitError) -> [BlendSearch.Quality] {
        let alone = try screening.alone()
        for (column, quality) in zip(columns, alone) {
            let ridge = column.ingredient == .content ? ", ridge \(decimals(Double(column.ridge), 0))" : ""
            log.append(
                "On hidden items, \(column.ingredient.title) (\(column.rule.text)\(ridge)): NDCG@10 \(decimals(quality.ndcg, 4)).")
        }
        return alone
    }

    private func choice(_ search: BlendSearch, _ ridge: Float?, _ log: inout [String]) throws(FitError) -> ColdChoice {
        let usable = Array(search.columns.indices)
        let weights = try search.weights(usable, try search.alone(), smooths: false)
        let total = max(weights.reduce(0, +), .leastNormalMagnitude)
        let entries = usable.filter { weights[$0] > 0 }.map {
            BlendChoice.Entry(
                ingredient: search.columns[$0].ingredient, rule: search.columns[$0].rule, weight: 0, coldWeight: weights[$0] / total)
        }
        let ndcg = decimals(try search.quality(weights).ndcg, 4)
        let names = entries.map { "\($0.ingredient.title) x \(decimals(Double($0.coldWeight), 2))" }.joined(separator: " + ")
        log.append("Items without interactions: \(names), NDCG@10 \(ndcg) among \(search.cases.count) users' hidden items.")
        return ColdChoice(entries: entries, ridge: ridge ?? plan.contentRidge, ndcg: ndcg)
    }

    private func cases(
        _ split: ColdSplit, _ users: [ValidationSplit.User], _ parts: [any BlendPart], _ span: ProgressSpan
    ) throws(FitError) -> [ValidationCase] {
        let results = Slots<ValidationCase>(count: users.count)
        let weighting = HistoryWeights(split.training, configuration)
        let training = split.training
        let hidden = split.isHidden.indices.filter { split.isHidden[$0] }.map { Int32($0) }
        try ParallelRows(threads: configuration.threads).run(count: users.count, chunk: 8, span: span) {
            var asking = ValidationAsking(itemCount: training.itemCount, partCount: parts.count)
            return { range in
                for index in range {
                    training.collectHistory(users[index].row, weighting, into: &asking.history)
                    results.set(index, asking.ask(parts, among: hidden, truth: users[index].truth))
                }
            }
        }
        return results.values
    }
}

/// What was learned about items without events.
struct ColdChoice {
    /// Cold weights add up to 1.
    var entries: [BlendChoice.Entry]
    var ridge: Float
    var ndcg: String

    /// Of the blend's weight: orders cold items among themselves and leaves them behind all others.
    static let leastScale: Float = 1e-4
    static let scales: [Float] = [0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5]

    /// When nothing can be measured.
    static let unmeasured = ColdChoice(
        entries: [BlendChoice.Entry(ingredient: .content, rule: SourceRule(), weight: 0, coldWeight: 1)], ridge: 8, ndcg: "")
}

/// Items that lose all their events, drawn by the seed, and the users who had met them.
struct ColdSplit {
    /// The same rows, without the events of hidden items.
    let training: InteractionMatrix
    let isHidden: [Bool]
    let users: [ValidationSplit.User]

    init(_ matrix: InteractionMatrix, _ features: FeatureRows, seed: UInt64) {
        func draw(_ number: Int32) -> UInt64 { RandomSource.mix(seed &* 0xA076_1D64_78BD_642F ^ UInt64(number)) }
        let met = matrix.metItems()
        let known = met.indices.filter { met[$0] && features.rows.offsets[$0] < features.rows.offsets[$0 + 1] }
        let drawn = known.map { (draw(matrix.itemIDs[$0]), $0) }.sorted { $0 < $1 }.prefix(known.count / ColdSelection.share).map(\.1)
        var isHidden = [Bool](repeating: false, count: matrix.itemCount)
        for item in drawn { isHidden[item] = true }
        self.isHidden = isHidden
        let hidden = matrix.items.map { isHidden[Int($0)] }
        training = matrix.removing(hidden)
        let order = (0..<matrix.userCount).map { (draw(matrix.userIDs[$0]), $0) }.sorted { $0 < $1 }
        var users: [ValidationSplit.User] = []
        for (_, user) in order where users.count < ColdSelection.maximumUsers {
            let range = matrix.offsets[user]..<matrix.offsets[user + 1]
            let truth = Set(range.lazy.filter { hidden[$0] }.map { matrix.items[$0] })
            if !truth.isEmpty, range.contains(where: { !hidden[$0] }) { users.append(ValidationSplit.User(row: user, truth: truth)) }
        }
        self.users = users
    }
}
