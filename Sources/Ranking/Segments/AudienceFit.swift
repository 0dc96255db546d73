import Foundation

/// Learns what makes users interact with a target: the blend is fitted without the newest fifth of every user's events, and
/// the users of those events are told from all others by a conditional logit (McFadden 1974) whose alternatives are users.
struct AudienceFit {
    private let matrix: InteractionMatrix
    private let configuration: FitConfiguration

    /// Users and targets that take part; the pairs of them are few enough to be gone through in a moment.
    private static let userLimit = 2000
    private static let targetLimit = 200
    /// With fewer interactions held out there is nothing to learn four weights from.
    private static let leastPairs = 40

    struct Learned {
        var weights: AudienceWeights
        var blend: BlendChoice?
        var log: [String]
    }

    init(_ matrix: InteractionMatrix, _ configuration: FitConfiguration) {
        self.matrix = matrix
        self.configuration = configuration
    }

    func learn(_ span: ProgressSpan) throws(FitError) -> Learned {
        let split = AudienceSplit(matrix, seed: configuration.seed)
        var configuration = configuration
        configuration.audience = .standard(sharpness: 1)
        let fitted = try fit(split.training, configuration, span.part(0, 0.9))
        let model: Model
        do throws(ModelError) { model = try fitted.opened() } catch { throw .unusableData(error.message) }
        let log = fitted.log.map { "On four fifths of the events: \($0)" }
        guard let recipe = model.family as? SegmentRecipe else { throw .unusableData("The model keeps no users.") }
        let standard = AudienceWeights.standard(sharpness: recipe.sharpness)
        let cases = try cases(recipe, split, span.part(0.9, 1))
        withExtendedLifetime(model) {}
        guard cases.pairCount >= Self.leastPairs else {
            return Learned(
                weights: standard, blend: fitted.blend,
                log: log + ["Too few held-out interactions to learn how users differ: standard weights are used."])
        }
        let weights = AudienceWeights(values: cases.fitted(from: standard.values))
        return Learned(
            weights: weights, blend: fitted.blend,
            log: log + ["What tells users apart, learned from \(cases.pairCount) held-out interactions: \(weights.sentence)."])
    }

    /// The drawn users' features towards the drawn targets, and who of them interacted.
    private func cases(_ recipe: SegmentRecipe, _ split: AudienceSplit, _ span: ProgressSpan) throws(FitError) -> AudienceCases {
        let users = drawn(Array(recipe.histories.userIDs.buffer), Self.userLimit).compactMap { id in
            firstRow(of: id, in: recipe.histories.userIDs.buffer)
        }
        let truths = users.map { split.truth[recipe.histories.userIDs.buffer[$0]] ?? [] }
        let targets = targets(recipe, Set(truths.joined()))
        let slots = Slots<[SIMD4<Float>]>(count: users.count)
        try ParallelRows(threads: configuration.threads).run(count: users.count, chunk: 16, span: span) {
            var features = AudienceFeatures(recipe, targets)
            return { range in
                for index in range { slots.set(index, features.describe(users[index])) }
            }
        }
        let hits = targets.map { target in
            let items = Set(target.rows.map { recipe.itemIDs.buffer[Int($0)] })
            return truths.indices.filter { !truths[$0].isDisjoint(with: items) }
        }
        return AudienceCases(features: slots.values, hits: hits)
    }

    private func targets(_ recipe: SegmentRecipe, _ held: Set<Int32>) -> [AudienceTarget] {
        let queries: [SegmentQuery]
        if configuration.recipe == .itemAttributeAffinity {
            queries = recipe.attributes.singleValues.map { .attributes($0) }
        } else {
            queries = held.sorted().map { .item($0) }
        }
        return drawn(Array(queries.indices.map { Int32($0) }), Self.targetLimit).compactMap { try? recipe.target(queries[Int($0)]) }
    }

    /// At most so many, drawn by the seed, in ascending order.
    private func drawn(_ values: [Int32], _ limit: Int) -> [Int32] {
        if values.count <= limit { return values }
        let seed = configuration.seed &* 0xD1B5_4A32_D192_ED03
        return values.map { (RandomSource.mix(seed ^ UInt64(UInt32(bitPattern: $0))), $0) }.sorted { $0 < $1 }.prefix(limit).map(\.1)
            .sorted()
    }
}

/// Users as alternatives: features by user and target, and the users who were right for each target.
struct AudienceCases {
    var features: [[SIMD4<Float>]]
    var hits: [[Int]]

    var pairCount: Int { hits.reduce(0) { $0 + $1.count } }

    /// Maximizes sum over targets and their users of ln(exp(w.x) / sum over all users exp(w.x)), less |w sd|^2 / 2, by Newton's
    /// method with halved steps.
    func fitted(from start: SIMD4<Float>) -> SIMD4<Float> {
        let deviations = deviations
        var weights = SIMD4<Double>(start) * SIMD4<Double>(deviations)
        var state = slope(weights, deviations)
        for _ in 0..<30 {
            guard let step = solve(state.curvature, state.gradient) else { break }
            var share = 1.0
            var next = slope(weights + step, deviations)
            while next.value < state.value, share > 1e-4 {
                share /= 2
                next = slope(weights + share * step, deviations)
            }
            guard next.value >= state.value else { break }
            let gain = next.value - state.value
            weights += share * step
            state = next
            if gain < 1e-6 * abs(state.value) { break }
        }
        return SIMD4<Float>(weights / SIMD4<Double>(deviations))
    }

    /// Standard deviation of each feature; 1 for one that does not vary.
    private var deviations: SIMD4<Float> {
        var sum = SIMD4<Double>()
        var squares = SIMD4<Double>()
        var count = 0.0
        for vector in features.joined() {
            let vector = SIMD4<Double>(vector)
            sum += vector
            squares += vector * vector
            count += 1
        }
        let mean = sum / max(1, count)
        let variance = squares / max(1, count) - mean * mean
        return SIMD4<Float>((0..<4).map { variance[$0] > 1e-12 ? Float(variance[$0].squareRoot()) : 1 })
    }

    private struct Slope {
        var value = 0.0
        var gradient = SIMD4<Double>()
        /// Negative of the second derivatives.
        var curvature = [SIMD4<Double>](repeating: SIMD4<Double>(), count: 4)
    }

    private func slope(_ weights: SIMD4<Double>, _ deviations: SIMD4<Float>) -> Slope {
        var slope = Slope(value: -(weights * weights).sum() / 2, gradient: -weights)
        for axis in 0..<4 { slope.curvature[axis][axis] = 1 }
        let scale = 1 / SIMD4<Double>(deviations)
        for (target, hits) in hits.enumerated() where !hits.isEmpty {
            var total = 0.0
            var mean = SIMD4<Double>()
            var outer = [SIMD4<Double>](repeating: SIMD4<Double>(), count: 4)
            let highest = features.reduce(-Double.infinity) { max($0, (weights * SIMD4<Double>($1[target]) * scale).sum()) }
            for user in features {
                let vector = SIMD4<Double>(user[target]) * scale
                let weight = exp((weights * vector).sum() - highest)
                total += weight
                mean += weight * vector
                for axis in 0..<4 { outer[axis] += weight * vector[axis] * vector }
            }
            mean /= total
            let count = Double(hits.count)
            for hit in hits {
                let vector = SIMD4<Double>(features[hit][target]) * scale
                slope.value += (weights * vector).sum() - highest - log(total)
                slope.gradient += vector - mean
            }
            for axis in 0..<4 { slope.curvature[axis] += count * (outer[axis] / total - mean[axis] * mean) }
        }
        return slope
    }

    /// Gaussian elimination; the matrix is positive definite.
    private func solve(_ matrix: [SIMD4<Double>], _ right: SIMD4<Double>) -> SIMD4<Double>? {
        var rows = matrix
        var right = right
        for pivot in 0..<4 {
            guard rows[pivot][pivot] > 1e-12 else { return nil }
            for row in pivot + 1..<4 {
                let factor = rows[row][pivot] / rows[pivot][pivot]
                rows[row] -= factor * rows[pivot]
                right[row] -= factor * right[pivot]
            }
        }
        for pivot in stride(from: 3, through: 0, by: -1) {
            for column in pivot + 1..<4 { right[pivot] -= rows[pivot][column] * right[column] }
            right[pivot] /= rows[pivot][pivot]
        }
        return right
    }
}
