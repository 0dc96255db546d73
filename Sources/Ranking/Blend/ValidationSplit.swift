import Foundation

/// Events that are held back while candidates are fitted: each drawn user's newest items, or, without a clock, items
/// drawn by the seed.
struct ValidationSplit: Sendable {
    struct User: Sendable {
        var row: Int
        var truth: Set<Int32>
        /// Of the items of `truth`, from 0 to 1; all 1 when empty.
        var gains: [Int32: Double] = [:]
        /// Met something after the newest items had appeared.
        var isRecent = false
        /// What the held-back events came in: values by column of the last of them, and the items of all that came in the same.
        var context: [String: String] = [:]
        var truthInContext: Set<Int32> = []
    }

    /// The same rows, without the held-back events.
    let training: InteractionMatrix
    let users: [User]

    static let maximumUsers = 1500
    static let newestItems = 5
    /// Fall of the gain per step ahead: a list is asked for anew after every event, so that what comes next counts most. As
    /// the next-item model weighs its targets.
    static let fall = 1.5
    static let drawnItems = 10

    /// - Parameter hidesNewItems: items that appeared in the last twentieth of all events lose all their events, so that it can
    ///   be seen what becomes of new items; needs a clock.
    init(_ matrix: InteractionMatrix, seed: UInt64, hasClock: Bool, demotesHistory: Bool, hidesNewItems: Bool = false) {
        func draw(_ number: Int) -> UInt64 { RandomSource.mix(seed &* 0xD1B5_4A32_D192_ED03 ^ UInt64(number)) }
        let order = (0..<matrix.userCount).map { (draw(Int(matrix.userIDs[$0])), $0) }.sorted { $0 < $1 }
        let recent = hasClock && hidesNewItems ? matrix.timestamps.sorted()[matrix.eventCount * 19 / 20] : .max
        var isHidden = hidesNewItems && hasClock ? matrix.events(onItemsSince: recent) : [Bool](repeating: false, count: matrix.eventCount)
        var users: [User] = []
        for (hash, user) in order where users.count < Self.maximumUsers {
            let range = matrix.offsets[user]..<matrix.offsets[user + 1]
            let distinct = Array(Set(matrix.items[range])).sorted()
            guard distinct.count >= 2 else { continue }
            let share = max(1, distinct.count / 5)
            var hidden: Set<Int32> = []
            var gains: [Int32: Double] = [:]
            let isRecent = range.last.map { matrix.timestamps[$0] >= recent } ?? false
            if hasClock {
                // Events go from the newest on, until enough items are in them.
                var position = range.upperBound
                while position > range.lowerBound + 1, hidden.count < min(share, Self.newestItems) {
                    position -= 1
                    isHidden[position] = true
                    hidden.insert(matrix.items[position])
                }
                var step = 0
                for later in position..<range.upperBound where gains[matrix.items[later]] == nil {
                    gains[matrix.items[later]] = exp(-Double(step) / Self.fall)
                    step += 1
                }
                if demotesHistory { hidden.subtract(matrix.items[range.lowerBound..<position]) }
            } else {
                let drawn = distinct.map { (RandomSource.mix(hash ^ UInt64($0)), $0) }.sorted { $0 < $1 }
                hidden = Set(drawn.prefix(min(share, Self.drawnItems)).map(\.1))
                for position in range where hidden.contains(matrix.items[position]) { isHidden[position] = true }
            }
            if !hidden.isEmpty {
                var held = User(row: user, truth: hidden, gains: gains, isRecent: isRecent)
                if !matrix.contexts.isEmpty { held.notice(range.filter { isHidden[$0] }, matrix) }
                users.append(held)
            }
        }
        self.users = users
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
        return (0..<Int32(training.itemCount)).filter { isAsking[Int($0)] }
    }
}

extension ValidationSplit.User {
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
