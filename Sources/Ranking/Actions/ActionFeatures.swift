import Foundation

/// Describes a user before a moment, for one action, as numbers that a logistic model weighs.
///
/// In this order: 1; of this action, and of all, at two spans, ln((taken + r) / (not taken + 1 - r)), r being the share of all
/// responses that were taken, and ln(1 + responses), where responses fall off with time, exp(-age / span), once with the period as span
/// and once with eight; ratios rather than counts, for counts grow with the time that a user was observed. Visits at both spans:
/// ln(1 + count). Others: ln(1 + taken) of each of the most taken actions. Attributes: the most frequent categories of users, 0 or 1.
///
/// Only the newest responses and visits count, as many as the packed histories keep, so that a request sees what the fit saw.
struct ActionFeatures: Sendable {
    /// Seconds.
    let period: Int64
    /// Of all responses, those that were taken, per action row and overall.
    let takenShares: [Float]
    let takenShare: Float
    /// Rows of the most taken actions.
    let others: [Int32]
    /// Columns in upper case with a value of theirs.
    let attributes: [(column: String, value: String)]
    private let placeOfAttribute: [[UInt8]: Int]

    static let ownRange = 1..<5
    static let otherStart = 11
    static let otherLimit = 16
    static let attributeLimit = 16
    /// Of each kind of response, and of visits.
    static let eventLimit = 100

    var count: Int { Self.otherStart + others.count + attributes.count }

    init(period: Int64, takenShares: [Float], takenShare: Float, others: [Int32], attributes: [(column: String, value: String)]) {
        (self.period, self.takenShares, self.takenShare) = (period, takenShares, takenShare)
        (self.others, self.attributes) = (others, attributes)
        placeOfAttribute = Dictionary(attributes.enumerated().map { (Self.key($1.column, $1.value), $0) }) { first, _ in first }
    }

    init(period: Int64, takenCounts: [Int], responseCounts: [Int], userMetadata: MetadataTable?) {
        let others = takenCounts.indices.filter { takenCounts[$0] > 0 }.sorted { (takenCounts[$1], $0) < (takenCounts[$0], $1) }
        // As if one response of each kind had come before all others.
        func share(_ taken: Int, _ all: Int) -> Float { (Float(taken) + 1) / (Float(all) + 2) }
        self.init(
            period: period, takenShares: zip(takenCounts, responseCounts).map(share),
            takenShare: share(takenCounts.reduce(0, +), responseCounts.reduce(0, +)),
            others: others.prefix(Self.otherLimit).map { Int32($0) }, attributes: Self.frequent(userMetadata))
    }

    private static func frequent(_ table: MetadataTable?) -> [(column: String, value: String)] {
        var values: [(frequency: Int, column: Int, code: Int, value: String)] = []
        for (index, column) in (table?.columns ?? []).enumerated() {
            guard case .categories(let lists) = column.values else { continue }
            var frequencies = [Int](repeating: 0, count: lists.names.count)
            for code in lists.codes { frequencies[Int(code)] += 1 }
            values += frequencies.indices.map { (frequencies[$0], index, $0, lists.names[$0]) }
        }
        values.sort { ($1.frequency, $0.column, $0.code) < ($0.frequency, $1.column, $1.code) }
        return values.prefix(attributeLimit).map { (table?.columns[$0.column].name.uppercased() ?? "", $0.value) }
    }

    private static func key(_ column: String, _ value: some StringProtocol) -> [UInt8] { Array(column.utf8) + [0] + Array(value.utf8) }

    /// Places of a user's categories among the attributes; several values of one column are separated by `|`.
    func places(of attributes: [String: String]) -> [Int] {
        guard !placeOfAttribute.isEmpty else { return [] }
        return attributes.flatMap { column, text in
            ColumnShape.categories(in: text).compactMap { placeOfAttribute[Self.key(column.uppercased(), $0)] }
        }
    }

    /// The same for every user of a table.
    func places(in table: MetadataTable?) -> [Int32: [Int]] {
        var places: [Int32: [Int]] = [:]
        for column in table?.columns ?? [] {
            guard let table, case .categories(let lists) = column.values else { continue }
            let place = lists.names.map { placeOfAttribute[Self.key(column.name.uppercased(), $0)] }
            for (record, id) in table.ids.enumerated() {
                for code in lists.codes(of: record) { if let found = place[Int(code)] { places[id, default: []].append(found) } }
            }
        }
        return places
    }

    /// Of events before `moment`, both in order of time.
    func state(
        _ events: some BidirectionalCollection<ActionHistory.Event>, _ visits: some BidirectionalCollection<Int64>, attributes: [Int],
        at moment: Int64
    ) -> ActionState {
        var sums: [Int32: (taken: SIMD2<Double>, seen: SIMD2<Double>)] = [:]
        var all: (taken: SIMD2<Double>, seen: SIMD2<Double>) = (.zero, .zero)
        var counts = [0, 0, 0]
        for event in events.reversed() where event.timestamp < moment && counts[Int(event.response.rawValue)] < Self.eventLimit {
            counts[Int(event.response.rawValue)] += 1
            let weight = decay(moment - event.timestamp)
            if event.response == .taken {
                sums[event.row, default: (.zero, .zero)].taken += weight
                all.taken += weight
            } else {
                sums[event.row, default: (.zero, .zero)].seen += weight
                all.seen += weight
            }
        }
        var shared = [Float](repeating: 0, count: count)
        shared[0] = 1
        let totals = Self.ratios(all.taken, all.seen, share: takenShare)
        for axis in 0..<4 { shared[5 + axis] = totals[axis] }
        let seen = visitSums(visits, moment)
        (shared[9], shared[10]) = (Float(log(1 + seen[0])), Float(log(1 + seen[1])))
        for (place, row) in others.enumerated() { shared[Self.otherStart + place] = Float(log(1 + (sums[row]?.taken[1] ?? 0))) }
        for place in attributes { shared[Self.otherStart + others.count + place] = 1 }
        let rows = sums.keys.sorted()
        let own = rows.map { row in Self.ratios(sums[row]?.taken ?? .zero, sums[row]?.seen ?? .zero, share: takenShares[Int(row)]) }
        return ActionState(shared: shared, rows: rows, own: own)
    }

    private func visitSums(_ visits: some BidirectionalCollection<Int64>, _ moment: Int64) -> SIMD2<Double> {
        var sums = SIMD2<Double>.zero
        var count = 0
        for visit in visits.reversed() where visit < moment {
            sums += decay(moment - visit)
            count += 1
            if count == Self.eventLimit { break }
        }
        return sums
    }

    private func decay(_ age: Int64) -> SIMD2<Double> { [exp(-Double(age) / Double(period)), exp(-Double(age) / (8 * Double(period)))] }

    private static func ratios(_ taken: SIMD2<Double>, _ seen: SIMD2<Double>, share: Float) -> SIMD4<Float> {
        var ratios = SIMD4<Float>.zero
        for span in 0..<2 {
            ratios[2 * span] = Float(log((taken[span] + Double(share)) / (seen[span] + 1 - Double(share))))
            ratios[2 * span + 1] = Float(log(1 + taken[span] + seen[span]))
        }
        return ratios
    }

    /// An action's own features for users who never responded to it.
    func untouched(_ row: Int) -> SIMD4<Float> { Self.ratios(.zero, .zero, share: takenShares[row]) }

    /// The weighted sum of `vector`.
    func logit(_ state: ActionState, action: Int32, _ weights: [Double]) -> Double {
        var sum = 0.0
        for axis in weights.indices { sum += weights[axis] * Double(state.shared[axis]) }
        let own = own(state, action)
        for (axis, place) in Self.ownRange.enumerated() { sum += weights[place] * Double(own[axis]) }
        if let place = others.firstIndex(of: action) {
            sum -= weights[Self.otherStart + place] * Double(state.shared[Self.otherStart + place])
        }
        return sum
    }

    private func own(_ state: ActionState, _ action: Int32) -> SIMD4<Float> {
        let found = state.rows.withUnsafeBufferPointer { firstRow(of: action, in: $0) }
        return found.map { state.own[$0] } ?? untouched(Int(action))
    }

    /// All `count` numbers for one action.
    func vector(_ state: ActionState, action: Int32) -> [Double] {
        var vector = state.shared.map { Double($0) }
        let own = own(state, action)
        for (axis, place) in Self.ownRange.enumerated() { vector[place] = Double(own[axis]) }
        // What it says of the action itself is said by its own features.
        if let place = others.firstIndex(of: action) { vector[Self.otherStart + place] = 0 }
        return vector
    }
}

/// A user at one moment, for all actions.
struct ActionState: Sendable {
    /// Every feature; those of an action's own are 0.
    var shared: [Float]
    /// Actions that the user responded to, ascending, and their own features.
    var rows: [Int32]
    var own: [SIMD4<Float>]
}
