/// Interactions without a fifth of every user's: the newest ones or, where timestamps tell no order, items drawn by the seed.
/// Users with a single event keep it.
struct AudienceSplit {
    var training: TrainingData
    /// Held-out items by user id.
    var truth: [Int32: Set<Int32>] = [:]

    static let share = 0.2

    init(_ matrix: InteractionMatrix, seed: UInt64) {
        let hasClock = matrix.hasClock()
        training = TrainingData(eventTypeNames: matrix.eventTypeNames)
        training.itemMetadata = matrix.itemMetadata
        training.reserveCapacity(matrix.eventCount)
        for user in 0..<matrix.userCount {
            let range = matrix.offsets[user]..<matrix.offsets[user + 1]
            let id = matrix.userIDs[user]
            let hidden = hasClock ? Self.newest(range) : Self.drawn(matrix, range, seed: seed ^ UInt64(UInt32(bitPattern: id)))
            for position in range {
                let item = matrix.itemIDs[Int(matrix.items[position])]
                if hidden.contains(position) {
                    truth[id, default: []].insert(item)
                } else {
                    training.append(
                        user: id, item: item, eventType: matrix.types[position], value: matrix.values[position],
                        timestamp: matrix.timestamps[position])
                }
            }
        }
    }

    private static func newest(_ range: Range<Int>) -> Set<Int> {
        let count = range.count < 2 ? 0 : max(1, Int((Double(range.count) * share).rounded()))
        return Set(range.suffix(count))
    }

    private static func drawn(_ matrix: InteractionMatrix, _ range: Range<Int>, seed: UInt64) -> Set<Int> {
        let items = Set(matrix.items[range])
        guard items.count >= 2 else { return [] }
        let order = items.map { (RandomSource.mix(RandomSource.mix(seed) ^ UInt64($0)), $0) }.sorted { $0 < $1 }
        let chosen = Set(order.prefix(max(1, Int((Double(items.count) * share).rounded()))).map(\.1))
        return Set(range.filter { chosen.contains(matrix.items[$0]) })
    }
}
