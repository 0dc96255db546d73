import Foundation

/// Learns how each value of a context column or user attribute moves items: the logarithm of events seen over events expected
/// if the value made no difference, both shrunk by a prior (the gamma-Poisson shrinker of DuMouchel 1999, "Bayesian data mining in
/// large frequency tables", with one prior for all).
struct SituationFit {
    let matrix: InteractionMatrix

    /// Expected events that the prior weighs: below, chance rules.
    private static let prior: Float = 10
    /// Of a value; what is rarer cannot move anything.
    private static let leastEvents = 20
    private static let leastEffect: Float = 0.05
    private static let valueLimit = 2000
    private static let binCount = 8
    /// Values x items that are looked at.
    private static let workLimit = 200_000_000

    /// Values per user or event, by key.
    private struct Assignment {
        var keys: [String] = []
        /// Of users (attributes) or events (context), codes into `keys`.
        var codes: [[Int32]]
        var edges: [String] = []

        init(count: Int) { codes = Array(repeating: [], count: count) }
    }

    /// The sections of the effects; nil when there is nothing to learn from.
    func sections() -> [SectionContent]? {
        let users = userAssignment()
        let contexts = contextAssignment()
        let keyCount = users.keys.count + contexts.keys.count
        guard keyCount > 0 else { return nil }
        let effects = effects(users, contexts, keyCount)
        guard !effects.keys.isEmpty else { return nil }
        return [
            SectionContent("situation.keys", texts: effects.keys),
            SectionContent("situation.edges", texts: users.edges + contexts.edges),
        ] + SectionContent.lists("situation", effects.lists)
    }

    private func effects(_ users: Assignment, _ contexts: Assignment, _ keyCount: Int) -> (keys: [String], lists: NeighborLists) {
        var events = [Int](repeating: 0, count: keyCount)
        var positions = [[Int32]](repeating: [], count: keyCount)
        for user in 0..<matrix.userCount {
            for position in matrix.offsets[user]..<matrix.offsets[user + 1] {
                let codes = users.codes[user] + contexts.codes[position].map { $0 + Int32(users.keys.count) }
                for code in codes {
                    events[Int(code)] += 1
                    positions[Int(code)].append(matrix.items[position])
                }
            }
        }
        let (_, popularity) = matrix.popularity()
        let total = Float(max(1, matrix.eventCount))
        let limit = max(50, min(Self.valueLimit, Self.workLimit / max(1, matrix.itemCount)))
        let kept = events.indices.filter { events[$0] >= Self.leastEvents && events[$0] < matrix.eventCount }
            .sorted { (events[$1], $0) < (events[$0], $1) }.prefix(limit).sorted()
        var lists = NeighborLists()
        var keys: [String] = []
        var seen = [Float](repeating: 0, count: matrix.itemCount)
        for code in kept {
            for item in positions[code] { seen[Int(item)] += 1 }
            let share = Float(events[code]) / total
            for item in seen.indices {
                let effect = logf((seen[item] + Self.prior) / (popularity[item] * share + Self.prior))
                if abs(effect) >= Self.leastEffect {
                    lists.rows.append(Int32(item))
                    lists.strengths.append(effect)
                }
            }
            for item in positions[code] { seen[Int(item)] = 0 }
            lists.offsets.append(UInt32(lists.rows.count))
            keys.append(code < users.keys.count ? users.keys[code] : contexts.keys[code - users.keys.count])
        }
        return (keys, lists)
    }

    private func contextAssignment() -> Assignment {
        var result = Assignment(count: matrix.eventCount)
        for column in matrix.contexts {
            var codes = [Int32](repeating: -1, count: column.values.count)
            for (event, value) in column.codes.enumerated() where value >= 0 && Int(value) < codes.count {
                if codes[Int(value)] < 0 {
                    guard let key = SituationKeys.key(.context, column.name, column.values[Int(value)]) else { continue }
                    codes[Int(value)] = Int32(result.keys.count)
                    result.keys.append(key)
                }
                result.codes[event].append(codes[Int(value)])
            }
        }
        return result
    }

    private func userAssignment() -> Assignment {
        var result = Assignment(count: matrix.userCount)
        guard let table = matrix.userMetadata else { return result }
        let rows = matrix.userIDs.withUnsafeBufferPointer { ids in table.ids.map { firstRow(of: $0, in: ids) } }
        for column in table.columns {
            switch column.values {
            case .categories(let lists):
                let start = Int32(result.keys.count)
                let keys = lists.names.map { SituationKeys.key(.user, column.name, $0) }
                result.keys += keys.map { $0 ?? "" }
                for (record, row) in rows.enumerated() {
                    guard let row else { continue }
                    for code in lists.codes(of: record) where keys[Int(code)] != nil { result.codes[row].append(start + code) }
                }
            case .numbers(let numbers): assign(numbers, column.name, rows, &result)
            case .texts: continue
            }
        }
        return result
    }

    /// Numbers by bins of equal counts.
    private func assign(_ numbers: [Float], _ column: String, _ rows: [Int?], _ result: inout Assignment) {
        let sorted = numbers.filter(\.isFinite).sorted()
        guard let first = sorted.first, let last = sorted.last, first < last else { return }
        var edges: [Float] = []
        for bin in 1..<Self.binCount {
            let edge = sorted[sorted.count * bin / Self.binCount]
            if edge > (edges.last ?? first) { edges.append(edge) }
        }
        let start = Int32(result.keys.count)
        let keys = (0...edges.count).compactMap { SituationKeys.key(.user, column, "bin \($0)") }
        result.keys += keys
        result.edges.append(SituationKeys.text(.user, column, edges: edges))
        for (number, row) in zip(numbers, rows) where number.isFinite {
            if let row { result.codes[row].append(start + Int32(edges.count { $0 <= number })) }
        }
    }
}
