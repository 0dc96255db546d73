extension BlendSearch {
    /// How a blend comes about, for people, as properties: for every part what the blend is without it (`without.<part>`), and the
    /// blend built up from its best part, each step adding the part that helps most (`curve.<step>`: part and quality). Qualities are
    /// validation NDCG@10 under the final weights.
    func trail(_ weights: [Float]) throws(FitError) -> [String: String] {
        let chosen = weights.indices.filter { weights[$0] > 0 }
        var properties: [String: String] = [:]
        for column in chosen where chosen.count > 1 {
            var left = weights
            left[column] = 0
            properties["without.\(columns[column].ingredient.rawValue)"] = decimals(try quality(left).ndcg, 4)
        }
        var built = [Float](repeating: 0, count: weights.count)
        var waiting = chosen
        while !waiting.isEmpty {
            var tried: [(column: Int, quality: Quality)] = []
            for column in waiting {
                var next = built
                next[column] = weights[column]
                tried.append((column, try quality(next)))
            }
            guard let best = tried.max(by: { ($0.quality.objective, $1.column) < ($1.quality.objective, $0.column) }) else { break }
            built[best.column] = weights[best.column]
            waiting.removeAll { $0 == best.column }
            properties["curve.\(chosen.count - waiting.count - 1)"] =
                "\(columns[best.column].ingredient.rawValue) \(decimals(best.quality.ndcg, 4))"
        }
        return properties
    }
}
