/// The histories of all users inside a model's memory, as a request would carry them: some five bytes an event.
struct KeptHistories: Sendable {
    let userIDs: MappedArray<Int32>
    private let offsets: MappedArray<UInt32>
    private let items: MappedArray<Int32>
    private let types: MappedArray<UInt8>
    /// Empty where values have no weight.
    private let values: MappedArray<Float>
    /// Days from a user's newest event to the newest of all.
    private let ages: MappedArray<Float>

    /// A request's history goes no further back either.
    static let eventLimit = 2000

    var userCount: Int { userIDs.count }

    init(opening file: ModelFile, itemCount: Int) throws(ModelError) {
        userIDs = try file.array("users.ids", .int32)
        offsets = try file.array("users.offsets", .uint32, count: userIDs.count + 1)
        items = try file.array("users.items", .int32)
        types = try file.array("users.types", .uint8, count: items.count)
        values = try file.floats("users.values")
        ages = try file.floats("users.ages", count: userIDs.count)
        let isOrdered = zip(offsets.buffer, offsets.buffer.dropFirst()).allSatisfy { $0 <= $1 }
        guard isOrdered, Int(offsets.buffer.last ?? 0) == items.count, values.count == 0 || values.count == items.count,
            items.buffer.allSatisfy({ $0 >= 0 && Int($0) < itemCount })
        else { throw .damaged("the users' histories do not hold together") }
    }

    static func sections(_ matrix: InteractionMatrix, keepsValues: Bool) -> [SectionContent] {
        var offsets: [UInt32] = [0]
        var items: [Int32] = []
        var types: [UInt8] = []
        var values: [Float] = []
        var ages: [Float] = []
        let newest = matrix.timestamps.max() ?? 0
        items.reserveCapacity(matrix.eventCount)
        types.reserveCapacity(matrix.eventCount)
        for user in 0..<matrix.userCount {
            let end = matrix.offsets[user + 1]
            let range = max(matrix.offsets[user], end - eventLimit)..<end
            items += matrix.items[range]
            types += matrix.types[range]
            if keepsValues { values += matrix.values[range] }
            offsets.append(UInt32(items.count))
            ages.append(Float((Double(newest) - Double(matrix.timestamps[end - 1])) / 86_400))
        }
        return [
            SectionContent("users.ids", matrix.userIDs), SectionContent("users.offsets", offsets), SectionContent("users.items", items),
            SectionContent("users.types", types), SectionContent("users.values", values), SectionContent("users.ages", ages),
        ]
    }

    func collect(_ user: Int, itemCount: Int, _ weighting: HistoryWeights, into history: inout WeightedHistory) {
        let start = Int(offsets.buffer[user])
        history.collect(count: Int(offsets.buffer[user + 1]) - start, itemCount: itemCount, weighting) {
            let value = values.count == 0 ? Float.nan : values.buffer[start + $0]
            return (items.buffer[start + $0], Int(types.buffer[start + $0]), value)
        }
    }

    func age(of user: Int) -> Float { ages.buffer[user] }
}
