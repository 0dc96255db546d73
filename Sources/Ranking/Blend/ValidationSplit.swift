/// Events that are held back while candidates are fitted: each drawn user's newest items, or, without a clock, items
/// drawn by the seed.
struct ValidationSplit: Sendable {
    struct User: Sendable {
        var row: Int
        var truth: Set<Int32>
    }

    /// The same rows, without the held-back events.
    let training: InteractionMatrix
    let users: [User]

    static let maximumUsers = 1500
    static let newestItems = 5
    static let drawnItems = 10

    init(_ matrix: InteractionMatrix, seed: UInt64, hasClock: Bool, demotesHistory: Bool) {
        func draw(_ number: Int) -> UInt64 { RandomSource.mix(seed &* 0xD1B5_4A32_D192_ED03 ^ UInt64(number)) }
        let order = (0..<matrix.userCount).map { (draw(Int(matrix.userIDs[$0])), $0) }.sorted { $0 < $1 }
        var isHidden = [Bool](repeating: false, count: matrix.eventCount)
        var users: [User] = []
        for (hash, user) in order where users.count < Self.maximumUsers {
            let range = matrix.offsets[user]..<matrix.offsets[user + 1]
            let distinct = Array(Set(matrix.items[range])).sorted()
            guard distinct.count >= 2 else { continue }
            let share = max(1, distinct.count / 5)
            var hidden: Set<Int32> = []
            if hasClock {
                // Events go from the newest on, until enough items are in them.
                var position = range.upperBound
                while position > range.lowerBound + 1, hidden.count < min(share, Self.newestItems) {
                    position -= 1
                    isHidden[position] = true
                    hidden.insert(matrix.items[position])
                }
                if demotesHistory { hidden.subtract(matrix.items[range.lowerBound..<position]) }
            } else {
                let drawn = distinct.map { (RandomSource.mix(hash ^ UInt64($0)), $0) }.sorted { $0 < $1 }
                hidden = Set(drawn.prefix(min(share, Self.drawnItems)).map(\.1))
                for position in range where hidden.contains(matrix.items[position]) { isHidden[position] = true }
            }
            if !hidden.isEmpty { users.append(User(row: user, truth: hidden)) }
        }
        self.users = users
        training = matrix.removing(isHidden)
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
        for user in 0..<userCount where RandomSource.mix(seed &* 0xA076_1D64_78BD_642F ^ UInt64(userIDs[user])) < limit {
            let range = offsets[user]..<offsets[user + 1]
            result.userIDs.append(userIDs[user])
            result.items += items[range]
            result.types += types[range]
            result.values += values[range]
            result.timestamps += timestamps[range]
            result.offsets.append(result.items.count)
        }
        return result
    }

    /// The same users and items without some of the events.
    func removing(_ isHidden: [Bool]) -> InteractionMatrix {
        var result = self
        let kept = (0..<eventCount).filter { !isHidden[$0] }
        result.items = kept.map { items[$0] }
        result.types = kept.map { types[$0] }
        result.values = kept.map { values[$0] }
        result.timestamps = kept.map { timestamps[$0] }
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
