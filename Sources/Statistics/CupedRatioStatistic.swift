/// A ratio of two totals together with the same ratio from before each unit's exposure: CUPED on linearised ratios, as tea-tasting's
/// RatioOfMeans with covariates has it.
public struct CupedRatioStatistic: ArmStatistic, Equatable {
    /// Sums over the units of a total in the experiment times a total before it.
    public struct CrossProducts: Sendable, Equatable {
        public var numeratorNumerator: Double
        /// Numerator in the experiment times denominator before.
        public var numeratorDenominator: Double
        /// Denominator in the experiment times numerator before.
        public var denominatorNumerator: Double
        public var denominatorDenominator: Double

        public init(
            numeratorNumerator: Double, numeratorDenominator: Double, denominatorNumerator: Double, denominatorDenominator: Double
        ) {
            self.numeratorNumerator = numeratorNumerator
            self.numeratorDenominator = numeratorDenominator
            self.denominatorNumerator = denominatorNumerator
            self.denominatorDenominator = denominatorDenominator
        }
    }

    /// In the experiment.
    public var post: RatioStatistic
    /// Before each unit's own exposure, 0 over 0 for a unit that was not seen; the same number of units.
    public var pre: RatioStatistic
    public var products: CrossProducts

    public init(post: RatioStatistic, pre: RatioStatistic, products: CrossProducts) {
        self.post = post
        self.pre = pre
        self.products = products
    }

    public static func + (first: Self, second: Self) -> Self {
        let (a, b) = (first.products, second.products)
        return Self(
            post: first.post + second.post, pre: first.pre + second.pre,
            products: CrossProducts(
                numeratorNumerator: a.numeratorNumerator + b.numeratorNumerator,
                numeratorDenominator: a.numeratorDenominator + b.numeratorDenominator,
                denominatorNumerator: a.denominatorNumerator + b.denominatorNumerator,
                denominatorDenominator: a.denominatorDenominator + b.denominatorDenominator))
    }

    /// θ over both arms pooled; 0 (no adjustment) when there was no past, or it does not vary.
    public static func theta(control: Self, treatment: Self) -> Double {
        let all = control + treatment
        guard let covariance = all.covariance, let past = all.pre.estimate, past.variance > 0 else { return 0 }
        let theta = covariance / past.variance
        return theta.isFinite ? theta : 0
    }

    public static func estimates(control: Self, treatment: Self) -> (control: ArmEstimate, treatment: ArmEstimate)? {
        var theta = theta(control: control, treatment: treatment)
        // An arm whose units were never seen before cannot be adjusted, and then neither is the other.
        if control.pre.estimate == nil || treatment.pre.estimate == nil { theta = 0 }
        guard let control = control.estimate(theta), let treatment = treatment.estimate(theta) else { return nil }
        return (control, treatment)
    }

    /// Covariance of the two linearised ratios (x − R·y)/ȳ and (u − P·v)/v̄ of one unit.
    private var covariance: Double? {
        let n = post.numerator.n
        guard n == pre.numerator.n, let now = post.estimate, let past = pre.estimate, let y = post.denominator.mean,
            let v = pre.denominator.mean,
            let xu = Moments.covariance(n, post.numerator.sum, pre.numerator.sum, products.numeratorNumerator),
            let xv = Moments.covariance(n, post.numerator.sum, pre.denominator.sum, products.numeratorDenominator),
            let yu = Moments.covariance(n, post.denominator.sum, pre.numerator.sum, products.denominatorNumerator),
            let yv = Moments.covariance(n, post.denominator.sum, pre.denominator.sum, products.denominatorDenominator)
        else { return nil }
        return (xu - past.mean * xv - now.mean * yu + now.mean * past.mean * yv) / (y * v)
    }

    private func estimate(_ theta: Double) -> ArmEstimate? {
        guard let now = post.estimate else { return nil }
        if theta == 0 { return now }
        guard let past = pre.estimate, let covariance else { return nil }
        let raw = now.variance + theta * theta * past.variance
        guard let variance = Moments.variance(raw - 2 * theta * covariance, scale: raw) else { return nil }
        return ArmEstimate(
            count: now.count, mean: now.mean - theta * past.mean, variance: variance, rawMean: now.mean, conversions: nil)
    }
}
