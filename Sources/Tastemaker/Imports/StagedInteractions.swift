import Ranking

/// The interactions of a file, in memory of bounded size: ids as numbers of tables, 28 bytes a row.
struct StagedInteractions {
    struct Row {
        var seconds: UInt32
        var line: UInt32
        var user: Int32
        var item: Int32
        var value: Float
        /// Where the attributes lie, after their length in four bytes; 0 for none.
        var attributes: UInt32
        var eventType: UInt16
        var hasValue: Bool
    }

    /// The numbers of the database for those of the tables.
    struct Numbers {
        var users: [Int32]
        var items: [Int32]
        var eventTypes: [Int16]
    }

    private(set) var rows: [Row] = []
    private(set) var users = IDTable()
    private(set) var items = IDTable()
    private(set) var eventTypes = IDTable()
    private var attributes: [UInt8] = [0]
    /// Bytes that rows, tables and attributes may take; sorting takes a third more.
    let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    var size: Int { rows.capacity * MemoryLayout<Row>.stride + users.size + items.size + eventTypes.size + attributes.capacity }

    /// False when the row does not fit: then it is all to be staged in a table.
    mutating func append(_ record: StagedRecord) -> Bool {
        guard rows.count < rows.capacity || makeRoom() else { return false }
        guard let line = UInt32(exactly: record.line), let seconds = UInt32(exactly: record.seconds ?? -1),
            let user = record.user.map({ users.intern($0) }), let item = record.item.map({ items.intern($0) }),
            let eventType = record.eventType.map({ eventTypes.intern($0.utf8) }).flatMap(UInt16.init(exactly:)),
            let place = UInt32(exactly: attributes.count)
        else { return false }
        rows.append(
            Row(
                seconds: seconds, line: line, user: user, item: item, value: record.value ?? 0,
                attributes: record.attributes == nil ? 0 : place, eventType: eventType, hasValue: record.value != nil))
        if let json = record.attributes {
            withUnsafeBytes(of: UInt32(json.count)) { attributes.append(contentsOf: $0) }
            attributes.append(contentsOf: json)
        }
        return rows.count % 1024 != 0 || size <= limit
    }

    /// By half at a time: doubling would leave half of the memory empty.
    private mutating func makeRoom() -> Bool {
        let capacity = max(4096, rows.capacity + rows.capacity / 2)
        guard capacity * MemoryLayout<Row>.stride <= limit else { return false }
        rows.reserveCapacity(capacity)
        return true
    }

    /// The row's attributes as JSON.
    func attributes(of row: Row) -> ArraySlice<UInt8>? {
        guard row.attributes > 0 else { return nil }
        let start = Int(row.attributes) + 4
        let count = attributes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: start - 4, as: UInt32.self) }
        return attributes[start..<start + Int(count)]
    }
}

extension StagedInteractions {
    /// Positions of the rows to store, in order of time: of rows that say the same the one with the lowest line.
    func distinct(_ numbers: Numbers) -> [UInt32] {
        var order = byTime()
        var kept = 0
        var start = 0
        while start < order.count {
            let seconds = rows[Int(order[start])].seconds
            var end = start + 1
            while end < order.count, rows[Int(order[end])].seconds == seconds { end += 1 }
            if end - start > 1 { order[start..<end].sort { precedes($0, $1, numbers) } }
            for index in start..<end {
                if index > start, saysTheSame(order[index], order[kept - 1], numbers) { continue }
                order[kept] = order[index]
                kept += 1
            }
            start = end
        }
        order.removeLast(order.count - kept)
        return order
    }

    /// Stable: rows of one second stay in the order of the file.
    private func byTime() -> [UInt32] {
        var order = Array(0..<UInt32(rows.count))
        guard !rows.indices.dropFirst().allSatisfy({ rows[$0 - 1].seconds <= rows[$0].seconds }) else { return order }
        var other = order
        for shift in [0, 11, 22] as [UInt32] {
            var places = [Int](repeating: 0, count: 2049)
            for row in rows { places[Int((row.seconds >> shift) & 2047) + 1] += 1 }
            for digit in 1..<places.count { places[digit] += places[digit - 1] }
            for position in order {
                let digit = Int((rows[Int(position)].seconds >> shift) & 2047)
                other[places[digit]] = position
                places[digit] += 1
            }
            swap(&order, &other)
        }
        return order
    }

    /// Of two rows of one second.
    private func precedes(_ left: UInt32, _ right: UInt32, _ numbers: Numbers) -> Bool {
        let (a, b) = (rows[Int(left)], rows[Int(right)])
        if a.user != b.user { return a.user < b.user }
        if a.item != b.item { return a.item < b.item }
        let types = (numbers.eventTypes[Int(a.eventType)], numbers.eventTypes[Int(b.eventType)])
        if types.0 != types.1 { return types.0 < types.1 }
        if a.hasValue != b.hasValue { return a.hasValue }
        if a.value != b.value { return a.value < b.value }
        if let (x, y) = differing(a, b) { return x.lexicographicallyPrecedes(y) }
        return a.line < b.line
    }

    private func saysTheSame(_ left: UInt32, _ right: UInt32, _ numbers: Numbers) -> Bool {
        let (a, b) = (rows[Int(left)], rows[Int(right)])
        return a.seconds == b.seconds && a.user == b.user && a.item == b.item && a.hasValue == b.hasValue && a.value == b.value
            && numbers.eventTypes[Int(a.eventType)] == numbers.eventTypes[Int(b.eventType)] && differing(a, b) == nil
    }

    /// The attributes of two rows, if they are not the same.
    private func differing(_ a: Row, _ b: Row) -> (ArraySlice<UInt8>, ArraySlice<UInt8>)? {
        guard a.attributes > 0 || b.attributes > 0 else { return nil }
        let (x, y) = (attributes(of: a) ?? [], attributes(of: b) ?? [])
        return x.elementsEqual(y) ? nil : (x, y)
    }
}

extension StagedInteractions {
    /// Calls for every user with the events of its own, in order; `order` is what `distinct` gave. Users come by their numbers in the database.
    func forEachUser(_ order: [UInt32], _ numbers: Numbers, _ body: (Int32, [RecentEvent]) throws -> Void) rethrows {
        var ends = [UInt32](repeating: 0, count: users.count + 1)
        for position in order { ends[Int(rows[Int(position)].user) + 1] += 1 }
        for user in 1..<ends.count { ends[user] += ends[user - 1] }
        // Filled from each user's start; then the start of a user is the end of the one before.
        var grouped = [UInt32](repeating: 0, count: order.count)
        for position in order {
            let user = Int(rows[Int(position)].user)
            grouped[Int(ends[user])] = position
            ends[user] += 1
        }
        for user in numbers.users.indices.sorted(by: { numbers.users[$0] < numbers.users[$1] }) {
            var own = Array(grouped[(user == 0 ? 0 : Int(ends[user - 1]))..<Int(ends[user])])
            own.sort { (rows[Int($0)].seconds, rows[Int($0)].line) < (rows[Int($1)].seconds, rows[Int($1)].line) }
            try body(numbers.users[user], own.map { event(rows[Int($0)], numbers) })
        }
    }

    private func event(_ row: Row, _ numbers: Numbers) -> RecentEvent {
        RecentEvent(
            item: numbers.items[Int(row.item)], seconds: row.seconds,
            eventType: UInt8(truncatingIfNeeded: numbers.eventTypes[Int(row.eventType)]))
    }
}
