/// Every user's events in (time, arrival) order.
struct UserTimeline {
    /// Ids of users with events, ascending.
    let users: [Int32]
    /// Positions in the data, user by user.
    let order: [Int32]
    /// Events of `users[i]` are `order[offsets[i]..<offsets[i + 1]]`.
    let offsets: [Int]

    init(_ data: TrainingData) throws(FitError) {
        let largest = Int(data.users.max() ?? -1)
        guard data.users.allSatisfy({ $0 >= 0 }), largest < data.count * 8 + 1_000_000, data.count < Int(Int32.max) else {
            throw .unusableData("User numbers are negative or too far apart to be split by user.")
        }
        let time = data.timeOrder()
        let byID = prefixSums(data.users.lazy.map { Int($0) }, bins: largest + 1)
        var next = byID
        var order = [Int32](repeating: 0, count: data.count)
        for rank in 0..<data.count {
            let position = time.map { $0[rank] } ?? rank
            let user = Int(data.users[position])
            order[next[user]] = Int32(position)
            next[user] += 1
        }
        self.order = order
        users = (0..<(largest + 1)).filter { byID[$0 + 1] > byID[$0] }.map { Int32($0) }
        offsets = [0] + users.map { byID[Int($0) + 1] }
    }

    func range(_ index: Int) -> Range<Int> { offsets[index]..<offsets[index + 1] }
}
