/// Capping of extreme values, for revenue and the like.
public enum Winsorization {
    /// The percentile of the positive values of all arms together, between neighbours by linear interpolation (PostgreSQL's percentile_cont).
    /// - Parameters:
    ///   - positives: ascending.
    ///   - fraction: 0 ... 1; 0.999 by default, 0.99 for small shops.
    /// - Returns: nil without values or for another fraction.
    public static func cap(sortedPositives positives: [Double], fraction: Double = 0.999) -> Double? {
        guard !positives.isEmpty, (0...1).contains(fraction) else { return nil }
        let place = Double(positives.count - 1) * fraction
        let below = positives[Int(place)]
        let above = positives[min(Int(place) + 1, positives.count - 1)]
        return below + (place - place.rounded(.down)) * (above - below)
    }
}
