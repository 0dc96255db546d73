extension Model {
    /// Unit vectors of items by interned id, one row each, zeros for an item without one; nil for a model that keeps no item vectors.
    public func unitVectors(of items: [Int32]) -> Reranking.Vectors? {
        withFamily { family in
            guard let vectors = (family as? BlendRecipe)?.scorer.members.lazy.compactMap({ ($0.part as? any VectorPart)?.vectors }).first
            else { return nil }
            var values = [Float](repeating: 0, count: items.count * vectors.dimensions)
            for (index, item) in items.enumerated() {
                guard let row = rowOfItem(item), let vector = vectors.vector(Int32(row)) else { continue }
                let source = UnsafeBufferPointer(start: vector, count: vectors.dimensions)
                let length = source.reduce(0) { $0 + $1 * $1 }.squareRoot()
                guard length > 0, length.isFinite else { continue }
                for dimension in source.indices { values[index * vectors.dimensions + dimension] = source[dimension] / length }
            }
            return (values, vectors.dimensions)
        }
    }
}
