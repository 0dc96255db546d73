import Foundation

/// Events that are held back while candidates are fitted: each drawn user's newest items, or, without a clock, items
/// drawn by the seed.
struct ValidationSplit: Sendable {
    struct User: Sendable {
        var row: Int
        /// Events of the whole data that follow what was learned from and belong to the history.
        var since = 0..<0
        var truth: Set<Int32>
        /// Of the items of `truth`, from 0 to 1; all 1 when empty.
        var gains: [Int32: Double] = [:]
        /// Met something after the newest items had appeared.
        var isRecent = false
        /// Does the oldest held-back event begin a visit?
        var comesBack = false
        /// What the held-back events came in: values by column of the last of them, and the items of all that came in the same.
        var context: [String: String] = [:]
        var truthInContext: Set<Int32> = []
    }

    /// The same rows, without the held-back events.
    let training: InteractionMatrix
    let users: [User]
    /// Some of the same users again at a later moment: those who then come back where they did not, and those in the midst of a visit
    /// where they came back.
    let later: [User]
    private let whole: InteractionMatrix

    static let maximumUsers = 1500
    static let newestItems = 5
    /// Fall of the gain per step ahead: a list is asked for anew after every event, so that what comes next counts most. As
    /// the next-item model weighs its targets.
    static let fall = 1.5
    static let drawnItems = 10

    /// - Parameter hidesNewItems: items that appeared in the last twentieth of all events lose all their events, so that it can
    ///   be seen what becomes of new items; needs a clock.
    /// - Parameter atVisits: what is held back begins with a visit where it can, so that users come back.
    init(
        _ matrix: InteractionMatrix, seed: UInt64, hasClock: Bool, demotesHistory: Bool, hidesNewItems: Bool = false,
        atVisits: Bool = false
    ) {
        func draw(_ number: Int) -> UInt64 { RandomSource.mix(seed &* 0xD1B5_4A32_D192_ED03 ^ UInt64(number)) }
        let order = (0..<matrix.userCount).map { (draw(Int(matrix.userIDs[$0])), $0) }.sorted { $0 < $1 }
        let recent = hasClock && hidesNewItems ? matrix.timestamps.sorted()[matrix.eventCount * 19 / 20] : .max
        var isHidden = hidesNewItems && hasClock ? matrix.events(onItemsSince: recent) : [Bool](repeating: false, count: matrix.eventCount)
        var users: [User] = []
        var later: [User] = []
        for (hash, user) in order where users.count + later.count < Self.maximumUsers {
            let range = matrix.offsets[user]..<matrix.offsets[user + 1]
            let distinct = Array(Set(matrix.items[range])).sorted()
            guard distinct.count >= 2 else { continue }
            let share = max(1, distinct.count / 5)
            var asked: [User]
            if hasClock {
                let cut = matrix.cut(range, items: min(share, Self.newestItems))
                let visit = atVisits ? matrix.visit(range, near: cut) : cut
                let first = min(cut, visit)
                for position in first..<range.upperBound { isHidden[position] = true }
                asked = [first, max(cut, visit)].map {
                    User(user, range, since: first..<$0, matrix, demotesHistory: demotesHistory)
                }
                if asked[0].comesBack == asked[1].comesBack { asked.removeLast() }
            } else {
                let drawn = distinct.map { (RandomSource.mix(hash ^ UInt64($0)), $0) }.sorted { $0 < $1 }
                asked = [User(row: user, truth: Set(drawn.prefix(min(share, Self.drawnItems)).map(\.1)))]
                let positions = range.filter { asked[0].truth.contains(matrix.items[$0]) }
                for position in positions { isHidden[position] = true }
                if !matrix.contexts.isEmpty { asked[0].notice(positions, matrix) }
            }
            let isRecent = range.last.map { matrix.timestamps[$0] >= recent } ?? false
            for place in asked.indices { asked[place].isRecent = isRecent }
            users += asked.prefix(1).filter { !$0.truth.isEmpty }
            later += asked.dropFirst().filter { !$0.truth.isEmpty }
        }
        (self.users, self.later, whole) = (users, later, matrix)
        training = matrix.removing(isHidden)
    }
}

extension ValidationSplit {
    /// All items of the held-out users' histories, ascending.
    var itemsAsking: [Int32] {
        var isAsking = [Bool](repeating: false, count: training.itemCount)
        for user in users {
            for item in training.items[training.offsets[user.row]..<training.offsets[user.row + 1]] { isAsking[Int(item)] = true }
        }
        for user in later { for item in whole.items[user.since] { isAsking[Int(item)] = true } }
        return (0..<Int32(training.itemCount)).filter { isAsking[Int($0)] }
    }

    /// What a user has met when the list is wanted.
    func collectHistory(_ user: User, _ weighting: HistoryWeights, into history: inout WeightedHistory) {
        let start = training.offsets[user.row]
        let count = training.offsets[user.row + 1] - start
        history.collect(count: count + user.since.count, itemCount: training.itemCount, weighting) {
            let (matrix, position) = $0 < count ? (training, start + $0) : (whole, user.since.lowerBound + $0 - count)
            return (matrix.items[position], Int(matrix.types[position]), matrix.values[position])
        }
    }
}

extension ValidationSplit.User {
    /// With a clock: what follows the history is held back.
    fileprivate init(_ user: Int, _ range: Range<Int>, since: Range<Int>, _ matrix: InteractionMatrix, demotesHistory: Bool) {
        let cut = since.upperBound
        self.init(row: user, since: since, truth: Set(matrix.items[cut..<range.upperBound]))
        comesBack = matrix.startsVisit(cut)
        gains = matrix.gains(cut..<range.upperBound, byVisit: comesBack)
        if demotesHistory { truth.subtract(matrix.items[range.lowerBound..<cut]) }
        if !matrix.contexts.isEmpty { notice(Array(cut..<range.upperBound), matrix) }
    }

    /// The context of the held-back events.
    fileprivate mutating func notice(_ positions: [Int], _ matrix: InteractionMatrix) {
        guard let last = positions.last else { return }
        for column in matrix.contexts where column.codes[last] >= 0 { context[column.name] = column.values[Int(column.codes[last])] }
        guard !context.isEmpty else { return }
        let alike = positions.filter { position in matrix.contexts.allSatisfy { $0.codes[position] == $0.codes[last] } }
        truthInContext = truth.intersection(alike.map { matrix.items[$0] })
    }
}

extension InteractionMatrix {
    /// The same items and about so many events, those of users drawn by the seed.
    func drawingUsers(maximumEvents: Int, seed: UInt64) -> InteractionMatrix {
        guard eventCount > maximumEvents else { return self }
        let limit = UInt64(Double(maximumEvents) / Double(eventCount) * 0x1p64)
        var result = self
        result.userIDs = []
        result.offsets = [0]
        (result.items, result.types, result.values, result.timestamps) = ([], [], [], [])
        for column in contexts.indices { result.contexts[column].codes = [] }
        var kept: [Int] = []
        for user in 0..<userCount where RandomSource.mix(seed &* 0xA076_1D64_78BD_642F ^ UInt64(userIDs[user])) < limit {
            let range = offsets[user]..<offsets[user + 1]
            result.userIDs.append(userIDs[user])
            result.items += items[range]
            result.types += types[range]
            result.values += values[range]
            result.timestamps += timestamps[range]
            for column in contexts.indices { result.contexts[column].codes += contexts[column].codes[range] }
            if shown.count > 0 { kept += Array(range) }
            result.offsets.append(result.items.count)
        }
        result.shown = shown.selecting(kept, of: eventCount)
        return result
    }

    /// The first of a user's newest events that hold so many items.
    fileprivate func cut(_ range: Range<Int>, items count: Int) -> Int {
        var met: Set<Int32> = []
        var cut = range.upperBound
        while cut > range.lowerBound + 1, met.count < count {
            cut -= 1
            met.insert(items[cut])
        }
        return cut
    }

    /// The start of a visit before or, if there is none in the newer half of the events, soon after a position; the position itself
    /// when there is neither.
    fileprivate func visit(_ range: Range<Int>, near cut: Int) -> Int {
        let oldest = max(range.lowerBound + 1, range.lowerBound + (range.count + 1) / 2)
        return stride(from: cut, through: oldest, by: -1).first(where: startsVisit)
            ?? (cut..<range.upperBound).first(where: startsVisit) ?? cut
    }

    /// What comes later counts less: step by step of a visit that has begun, else visit by visit, for a list at its beginning should
    /// hold what it brings.
    fileprivate func gains(_ positions: Range<Int>, byVisit: Bool) -> [Int32: Double] {
        var gains: [Int32: Double] = [:]
        var visits = 0
        for position in positions {
            if position > positions.lowerBound, startsVisit(position) { visits += 1 }
            guard gains[items[position]] == nil else { continue }
            gains[items[position]] = exp(-Double(byVisit ? visits : gains.count) / ValidationSplit.fall)
        }
        return gains
    }

    /// Does a pause lie before an event that is not its user's first?
    func startsVisit(_ position: Int) -> Bool { RankingRequest.isPause(from: timestamps[position - 1], to: timestamps[position]) }

    /// Which events are on items whose first event is not before a moment.
    func events(onItemsSince moment: Int64) -> [Bool] {
        var first = [Int64](repeating: .max, count: itemCount)
        for position in items.indices { first[Int(items[position])] = min(first[Int(items[position])], timestamps[position]) }
        return items.map { first[Int($0)] >= moment }
    }

    /// The same users and items without some of the events.
    func removing(_ isHidden: [Bool]) -> InteractionMatrix {
        var result = self
        let kept = (0..<eventCount).filter { !isHidden[$0] }
        result.items = kept.map { items[$0] }
        result.types = kept.map { types[$0] }
        result.values = kept.map { values[$0] }
        result.timestamps = kept.map { timestamps[$0] }
        for column in contexts.indices { result.contexts[column].codes = kept.map { contexts[column].codes[$0] } }
        result.shown = shown.selecting(kept, of: eventCount)
        result.offsets = [0]
        result.offsets.reserveCapacity(offsets.count)
        var next = 0
        for user in 0..<userCount {
            while next < kept.count, kept[next] < offsets[user + 1] { next += 1 }
            result.offsets.append(next)
        }
        return result
    }
}
