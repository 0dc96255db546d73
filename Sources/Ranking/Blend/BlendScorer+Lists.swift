extension BlendScorer {
    /// Do requests for so many items read inverted lists, but for those whose filter lets through too little?
    func isListed(_ depth: Int) -> Bool { probes?.lists(depth: Double(depth)) != nil }

    /// The best rows of each part that retrieves: by inverted lists where it has vectors, among the rows it knows where it is sparse,
    /// from the front where it says the same to everybody. Nil when these cannot be told without looking at all rows.
    func pickFromLists(
        _ k: Int, depth: Int, _ retrieving: [Int], _ words: [UInt64]?, _ scratch: inout RankingScratch
    ) -> [Int32]? {
        guard let probes, !scratch.holdsVectors, scratch.situation.isEmpty, retrieving.contains(where: isVectors) else { return nil }
        let admitted = words.map { $0.reduce(0) { $0 + $1.nonzeroBitCount } } ?? itemCount
        let share = Double(admitted) / Double(max(1, itemCount))
        var found: [Int32] = []
        for index in retrieving where !members[index].part.isSparse {
            if let lists = members[index].lists {
                let query = scratch.spaces[index].query
                guard lists.read(k, query, depth: depth, allowed: words, share: share, probes, &scratch.spaces[index].lists) else {
                    return nil
                }
                found += scratch.spaces[index].lists.found
            } else {
                guard let leaders = leaders(of: index, k, words) else { return nil }
                found += leaders
            }
        }
        let sparse = retrieving.filter { members[$0].part.isSparse }
        if !sparse.isEmpty {
            guard let count = pickSparsely(k, sparse, words, &scratch) else { return nil }
            found += scratch.best.rows[..<count]
        }
        return found
    }

    /// The first admitted rows of a part that says the same to everybody.
    private func leaders(of index: Int, _ count: Int, _ words: [UInt64]?) -> [Int32]? {
        let leaders = members[index].leaders
        guard let words else { return leaders.count >= count ? Array(leaders.prefix(count)) : nil }
        var found: [Int32] = []
        for row in leaders where words[Int(row) / 64] >> UInt64(row % 64) & 1 == 1 {
            if found.count == count { break }
            found.append(row)
        }
        return found.count == count ? found : nil
    }
}
