/// A value for each unit together with the same metric from before its exposure, which explains part of the variance
/// (CUPED: Deng, Xu, Kohavi, Walker 2013, Improving the sensitivity of online controlled experiments by utilizing pre-experiment data).
public struct CupedStatistic: ArmStatistic, Equatable {
    /// In the experiment.
    public var post: MeanStatistic
    /// Before each unit's own exposure, 0 for a unit that was not seen; the same number of units.
    public var pre: MeanStatistic
    /// Sum over the units of post times pre.
    public var sumProducts: Double

    public init(post: MeanStatistic, pre: MeanStatistic, sumProducts: Double) {
        self.post = post
        self.pre = pre
        self.sumProducts = sumProducts
    }

    public static func + (first: Self, second: Self) -> Self {
        Self(post: first.post + second.post, pre: first.pre + second.pre, sumProducts: first.sumProducts + second.sumProducts)
    }

    /// θ = cov(post, pre)/var(pre) over both arms pooled, arm means not removed; 0 (no adjustment) when the past does not vary.
    public static func theta(control: Self, treatment: Self) -> Double {
        let all = control + treatment
        guard let covariance = all.covariance, let variance = all.pre.variance, variance > 0 else { return 0 }
        let theta = covariance / variance
        return theta.isFinite ? theta : 0
    }

    /// 1 − V adjusted / V raw of the difference of means: what the past explained. Nil when there is nothing to compare.
    public static func varianceRemoved(control: Self, treatment: Self) -> Double? {
        guard let adjusted = Effect(control: control, treatment: treatment),
            let raw = Effect(control: control.post, treatment: treatment.post), raw.variance > 0
        else { return nil }
        return 1 - adjusted.variance / raw.variance
    }

    public static func estimates(control: Self, treatment: Self) -> (control: ArmEstimate, treatment: ArmEstimate)? {
        let theta = theta(control: control, treatment: treatment)
        guard let control = control.estimate(theta), let treatment = treatment.estimate(theta) else { return nil }
        return (control, treatment)
    }

    private var covariance: Double? {
        post.n == pre.n ? Moments.covariance(post.n, post.sum, pre.sum, sumProducts) : nil
    }

    private func estimate(_ theta: Double) -> ArmEstimate? {
        guard let covariance, let postMean = post.mean, let preMean = pre.mean, let postVariance = post.variance,
            let preVariance = pre.variance,
            let variance = Moments.variance(
                postVariance + theta * theta * preVariance - 2 * theta * covariance, scale: postVariance + theta * theta * preVariance)
        else { return nil }
        return ArmEstimate(
            count: Double(post.n), mean: postMean - theta * preMean, variance: variance, rawMean: postMean, conversions: nil)
    }
}
