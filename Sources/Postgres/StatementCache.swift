/// Names of the statements prepared on one connection, least recently used out first.
struct StatementCache {
    struct Key: Hashable {
        var text: [UInt8]
        var types: [UInt32]
    }

    private struct Entry {
        var name: String
        var lastUse: UInt64
    }

    private let limit: Int
    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0

    init(limit: Int) {
        self.limit = max(1, limit)
    }

    var count: Int { entries.count }

    mutating func name(for key: Key) -> String? {
        clock += 1
        guard let index = entries.index(forKey: key) else { return nil }
        entries.values[index].lastUse = clock
        return entries.values[index].name
    }

    /// A name for a statement about to be prepared, never used before on this connection.
    mutating func newName() -> String {
        clock += 1
        return "s\(clock)"
    }

    /// The name of the statement that has to go before another fits; nil while there is room.
    mutating func evict() -> String? {
        guard entries.count >= limit, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return nil }
        entries[oldest.key] = nil
        return oldest.value.name
    }

    mutating func insert(_ name: String, for key: Key) {
        entries[key] = Entry(name: name, lastUse: clock)
    }

    mutating func forget(_ key: Key) {
        entries[key] = nil
    }
}
