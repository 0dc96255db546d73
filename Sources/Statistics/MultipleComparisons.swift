/// Adjusted p-values for a family of comparisons, in the order of the input.
public enum MultipleComparisons {
    /// Bounds the chance of any false discovery (Holm 1979). For goal metrics times arms when no primary metric is named.
    public static func holm(_ pValues: [Double]) -> [Double] {
        let order = pValues.indices.sorted { pValues[$0] < pValues[$1] }
        var adjusted = pValues
        var largest = 0.0
        for (rank, index) in order.enumerated() {
            largest = max(largest, min(1, Double(pValues.count - rank) * pValues[index]))
            adjusted[index] = largest
        }
        return adjusted
    }

    /// Bounds the expected share of false discoveries (Benjamini and Hochberg 1995). For secondary metrics and segments.
    public static func benjaminiHochberg(_ pValues: [Double]) -> [Double] {
        let order = pValues.indices.sorted { pValues[$0] < pValues[$1] }
        var adjusted = pValues
        var smallest = 1.0
        for (rank, index) in order.enumerated().reversed() {
            smallest = min(smallest, Double(pValues.count) * pValues[index] / Double(rank + 1))
            adjusted[index] = smallest
        }
        return adjusted
    }
}
