import Postgres
import Ranking

/// What stood before users, event by event: the list that an event carries itself, else the logged list that it came from.
struct ShownCollector {
    private var items = ItemKeys()
    private var listOfKey: [Int64: Int] = [:]
    private var ends: [Int] = [0]
    private var listed: [Int32] = []

    /// Logged lists that are kept in mind, the newest; they take some 50 MB.
    static let listLimit: Int32 = 300_000

    /// Nil where no event can tell what was shown.
    init?(dataset: Int32, groupID: Int32, hasColumn: Bool, _ connection: Connection) throws {
        guard try hasColumn || TrainingQueries.tellsShown(groupID: groupID, connection) else { return nil }
        _ = try connection.copyOut(TrainingQueries.itemKeys(groupID: groupID)) { (row: inout CopyReader) throws in
            items.append(id: try row.int32(), try row.bytes())
        }
        let lists = TrainingQueries.shownLists(dataset: dataset, groupID: groupID, limit: Self.listLimit)
        _ = try connection.copyOut(lists) { (row: inout CopyReader) throws in
            let key = try row.int64()
            let text = try row.bytes()
            listOfKey[key] = ends.count - 1
            listed += text.split(separator: UInt8(ascii: ",")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
            ends.append(listed.count)
        }
    }

    /// Interned ids.
    /// - Parameters:
    ///   - recommendation: key of the logged list that the event came from.
    ///   - impression: external ids separated by |, as imports and put events have them; ids that nobody knows are passed over.
    func list(recommendation: Int64?, impression: [UInt8]?) -> [Int32] {
        if let impression {
            let ids = impression.split(separator: UInt8(ascii: "|")).prefix(ShownLists.listLimit)
            return ids.compactMap { items.id(String(decoding: $0, as: UTF8.self)) }
        }
        guard let list = recommendation.flatMap({ listOfKey[$0] }) else { return [] }
        return Array(listed[ends[list]..<ends[list + 1]])
    }
}
