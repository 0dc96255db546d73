/// What another way to choose would have earned per place, estimated from places that were filled by chance with known probabilities.
///
/// Self-normalised inverse propensity scoring (Swaminathan and Joachims, "The Self-Normalized Estimator for Counterfactual Learning",
/// 2015, equation 6): sum of w r / sum of w with w = probability under the other policy / probability under the one that was shown.
/// The interval is the delta method's for that ratio. Unbiased in the limit wherever the shown policy could show what the other would.
public struct OffPolicyEstimate: Sendable, Equatable {
    private var weight = 0.0
    private var squaredWeight = 0.0
    private var reward = 0.0
    private var weightedReward = 0.0
    private var squaredReward = 0.0
    /// Places that were added.
    public private(set) var count = 0

    public init() {}

    /// The same from sums that a database made over all places: of w, w², w r, w² r and w² r².
    public init(count: Int, weight: Double, squaredWeight: Double, reward: Double, weightedReward: Double, squaredReward: Double) {
        self.count = count
        self.weight = weight
        self.squaredWeight = squaredWeight
        self.reward = reward
        self.weightedReward = weightedReward
        self.squaredReward = squaredReward
    }

    /// Adds one place.
    /// - Parameters:
    ///   - reward: what it earned, such as 1 for a click.
    ///   - propensity: probability with which it showed what it showed, above 0.
    ///   - target: probability with which the other policy would have shown the same.
    public mutating func add(reward: Double, propensity: Double, target: Double) {
        guard propensity > 0, target >= 0, reward.isFinite else { return }
        let w = target / propensity
        count += 1
        weight += w
        squaredWeight += w * w
        self.reward += w * reward
        weightedReward += w * w * reward
        squaredReward += w * w * reward * reward
    }

    /// Reward per place under the other policy; nil when nothing that it would show was shown.
    public var mean: Double? { weight > 0 ? reward / weight : nil }

    /// Of `mean`; nil below two places.
    public var standardError: Double? {
        guard count > 1, let mean else { return nil }
        let residual = squaredReward - 2 * mean * weightedReward + mean * mean * squaredWeight
        return max(0, residual).squareRoot() / weight
    }

    /// How many places of its own the other policy's estimate is worth (Kish, 1965): (sum of w)² / sum of w².
    public var effectiveCount: Double { squaredWeight > 0 ? weight * weight / squaredWeight : 0 }
}
