/// The admitted interactions by user, in time order, with users and items as dense rows.
struct InteractionMatrix: Sendable {
    /// Ascending; position is the row.
    var itemIDs: [Int32] = []
    var userIDs: [Int32] = []
    /// Events of user u are at offsets[u]..<offsets[u + 1].
    var offsets: [Int] = [0]
    var items: [Int32] = []
    var types: [UInt8] = []
    var values: [Float] = []
    var timestamps: [Int64] = []
    var eventTypeNames: [String] = []
    /// Events of types that the configuration leaves out, or below its threshold.
    var leftOut = 0
    /// Of items, with or without events.
    var itemMetadata: MetadataTable?
    var userMetadata: MetadataTable?
    /// In the order of the events here.
    var contexts: [ContextColumn] = []
    /// Events are positions here, items are rows.
    var shown = ShownLists()

    var itemCount: Int { itemIDs.count }
    var userCount: Int { userIDs.count }
    var eventCount: Int { items.count }

    /// - Parameter span: where progress stands, for data so large that whoever waits may want to cancel.
    init(_ data: TrainingData, _ configuration: FitConfiguration, _ span: ProgressSpan? = nil) throws(FitError) {
        try Self.check(data)
        try span?.poll()
        let admission = EventAdmission(data: data, configuration: configuration)
        guard data.count < Int(Int32.max) else { throw .unusableData("There are more interactions than can be numbered.") }
        var positions: [Int32] = []
        positions.reserveCapacity(data.count)
        let order = data.timeOrder()
        for rank in 0..<data.count {
            if rank % Self.pollStep == 0 { try span?.poll() }
            let position = order.map { $0[rank] } ?? rank
            if admission.admits(type: data.eventTypes[position], value: data.values[position]) { positions.append(Int32(position)) }
        }
        try span?.poll()
        positions = Self.applyPercentiles(positions, data, configuration)
        let suffices = !configuration.recipe.family.needsEvents && data.itemMetadata != nil
        guard !positions.isEmpty || suffices else {
            throw .unusableData(
                data.count == 0
                    ? "There are no interactions to learn from."
                    : "None of the \(data.count) interactions passes the event type and value conditions.")
        }
        leftOut = data.count - positions.count
        eventTypeNames = data.eventTypeNames
        itemMetadata = data.itemMetadata
        let takesCatalog = configuration.recipe.family.takesCatalog
        if takesCatalog { userMetadata = data.userMetadata }
        let itemIndex = RowIndex(positions.map { data.items[Int($0)] } + (takesCatalog ? itemMetadata?.ids ?? [] : []))
        try span?.poll()
        let userIndex = RowIndex(positions.map { data.users[Int($0)] })
        try span?.poll()
        itemIDs = itemIndex.ids
        userIDs = userIndex.ids
        try fill(positions, data, configuration, itemIndex, userIndex, span)
    }

    private static let pollStep = 1 << 20

    private mutating func fill(
        _ positions: [Int32], _ data: TrainingData, _ configuration: FitConfiguration, _ itemIndex: RowIndex, _ userIndex: RowIndex,
        _ span: ProgressSpan?
    ) throws(FitError) {
        // Where each admitted event goes; first the row of its user.
        try span?.poll()
        var targets = positions.map { Int32(userIndex.row(of: data.users[Int($0)]) ?? 0) }
        offsets = prefixSums(targets.lazy.map { Int($0) }, bins: userCount)
        var next = offsets
        items = [Int32](repeating: 0, count: positions.count)
        types = [UInt8](repeating: 0, count: positions.count)
        values = [Float](repeating: .nan, count: positions.count)
        timestamps = [Int64](repeating: 0, count: positions.count)
        try span?.poll()
        for index in positions.indices {
            if index % Self.pollStep == 0 { try span?.poll() }
            let position = Int(positions[index])
            let target = next[Int(targets[index])]
            next[Int(targets[index])] += 1
            items[target] = Int32(itemIndex.row(of: data.items[position]) ?? 0)
            types[target] = data.eventTypes[position]
            values[target] = data.values[position]
            timestamps[target] = data.timestamps[position]
            targets[index] = Int32(target)
        }
        let wanted = configuration.recipe.family.takesCatalog ? data.contexts : []
        contexts = wanted.map { column in
            var codes = [Int32](repeating: -1, count: positions.count)
            for (index, position) in positions.enumerated() { codes[Int(targets[index])] = column.codes[Int(position)] }
            return ContextColumn(name: column.name, values: column.values, codes: codes)
        }
        guard configuration.recipe.family.takesCatalog, data.shown.count > 0 else { return }
        var place = [Int32](repeating: -1, count: data.count)
        for (index, position) in positions.enumerated() { place[Int(position)] = targets[index] }
        shown = data.shown.renumbered(
            events: { place[$0] < 0 ? nil : Int(place[$0]) }, items: { Int32(itemIndex.row(of: $0) ?? -1) })
    }

    private static func check(_ data: TrainingData) throws(FitError) {
        let lengths = [data.items.count, data.eventTypes.count, data.values.count, data.timestamps.count]
        guard lengths.allSatisfy({ $0 == data.count }) else {
            throw .unusableData("The columns of the interactions differ in length.")
        }
        guard data.users.allSatisfy({ $0 >= 0 }), data.items.allSatisfy({ $0 >= 0 }) else {
            throw .unusableData("An interaction has a negative user or item number.")
        }
        guard data.eventTypeNames.count <= 256, data.eventTypes.allSatisfy({ Int($0) < data.eventTypeNames.count }) else {
            throw .unusableData("An interaction has an event type without a name.")
        }
        guard data.shown.events.allSatisfy({ Int($0) < data.count }) else {
            throw .unusableData("A list of shown items belongs to no interaction.")
        }
        guard data.contexts.allSatisfy({ $0.codes.count == data.count }) else {
            throw .unusableData("A context column of the interactions differs from them in length.")
        }
        for table in [data.itemMetadata, data.userMetadata] {
            guard let table else { continue }
            guard table.ids.allSatisfy({ $0 >= 0 }), table.columns.allSatisfy({ $0.count == table.count }) else {
                throw .unusableData("The columns of the metadata differ in length, or an id is negative.")
            }
        }
    }

    /// The weighted distinct items of every user. `type` keeps one event type; `limit` keeps each user's newest events.
    func userItems(
        _ weighting: HistoryWeights, type: UInt8? = nil, limit: Int = .max, threads: Int, _ span: ProgressSpan
    ) throws(FitError) -> SparseRows {
        var result = SparseRows()
        result.columns = [Int32](repeating: 0, count: eventCount)
        result.values = [Float](repeating: 0, count: eventCount)
        let counts = SharedArray<Int32>(repeating: 0, count: userCount)
        var failure: FitError?
        result.columns.withUnsafeMutableBufferPointer { columns in
            result.values.withUnsafeMutableBufferPointer { values in
                guard let columnBase = columns.baseAddress, let valueBase = values.baseAddress else { return }
                let (columns, values) = (SharedBuffer(pointer: columnBase), SharedBuffer(pointer: valueBase))
                do throws(FitError) {
                    try ParallelRows(threads: threads).run(count: userCount, chunk: 256, span: span.part(0, 0)) {
                        var history = WeightedHistory()
                        var picked: [Int] = []
                        return { range in
                            for user in range {
                                pick(user, type, limit, &picked)
                                history.collect(count: picked.count, itemCount: itemCount, weighting) {
                                    (items[picked[$0]], Int(types[picked[$0]]), self.values[picked[$0]])
                                }
                                // Where the user's events lie there is room for their items.
                                (columns.pointer + offsets[user]).update(from: history.rows, count: history.count)
                                (values.pointer + offsets[user]).update(from: history.weights, count: history.count)
                                counts.base[user] = Int32(history.count)
                            }
                        }
                    }
                } catch { failure = error }
            }
        }
        if let failure { throw failure }
        close(&result, counts)
        return result
    }

    /// Positions of a user's events that take part.
    private func pick(_ user: Int, _ type: UInt8?, _ limit: Int, _ picked: inout [Int]) {
        picked.removeAll(keepingCapacity: true)
        for position in offsets[user]..<offsets[user + 1] where type == nil || types[position] == type { picked.append(position) }
        if picked.count > limit { picked.removeFirst(picked.count - limit) }
    }

    /// Moves users' items, which lie where their events do, next to each other.
    private func close(_ rows: inout SparseRows, _ counts: SharedArray<Int32>) {
        rows.offsets.reserveCapacity(userCount + 1)
        var end = 0
        for user in 0..<userCount {
            let (start, count) = (offsets[user], Int(counts.base[user]))
            if start > end {
                rows.columns.withUnsafeMutableBufferPointer { buffer in
                    if let base = buffer.baseAddress { (base + end).update(from: base + start, count: count) }
                }
                rows.values.withUnsafeMutableBufferPointer { buffer in
                    if let base = buffer.baseAddress { (base + end).update(from: base + start, count: count) }
                }
            }
            end += count
            rows.offsets.append(end)
        }
        rows.columns.removeLast(eventCount - end)
        rows.values.removeLast(eventCount - end)
    }

    /// Distinct users, and events, per item.
    func popularity() -> (users: [Float], events: [Float]) {
        var users = [Float](repeating: 0, count: itemCount)
        var events = users
        var lastUser = [Int32](repeating: -1, count: itemCount)
        for user in 0..<userCount {
            for position in offsets[user]..<offsets[user + 1] {
                let item = Int(items[position])
                events[item] += 1
                if lastUser[item] != Int32(user) {
                    lastUser[item] = Int32(user)
                    users[item] += 1
                }
            }
        }
        return (users, events)
    }

    /// Which items somebody met.
    func metItems() -> [Bool] {
        var isMet = [Bool](repeating: false, count: itemCount)
        for item in items { isMet[Int(item)] = true }
        return isMet
    }

    /// Per event: does the user come back to an item? More than an hour later, or else after another item and with the same
    /// type of event as before: the next step of a funnel, or a page loaded again, is no return.
    func returns() -> [Bool] {
        var result = [Bool](repeating: false, count: eventCount)
        var lastPosition = [Int](repeating: -1, count: itemCount)
        for user in 0..<userCount {
            for position in offsets[user]..<offsets[user + 1] {
                let earlier = lastPosition[Int(items[position])]
                lastPosition[Int(items[position])] = position
                guard earlier >= offsets[user] else { continue }
                let pause = timestamps[position] &- timestamps[earlier]
                result[position] = pause > 3600 || (pause > 0 && earlier + 1 < position && types[earlier] == types[position])
            }
        }
        return result
    }

    /// Is coming back to an item common enough, one event in twenty, for lists to show known items?
    var usersReturn: Bool { eventCount > 0 && Double(returns().count { $0 }) >= 0.05 * Double(eventCount) }

    /// Mean of the positive values; 1 when there are none.
    func meanValue() -> Float {
        var sum = 0.0
        var count = 0
        for value in values where value.isFinite && value > 0 {
            sum += Double(value)
            count += 1
        }
        return count == 0 ? 1 : max(Float(sum / Double(count)), .leastNormalMagnitude)
    }
}

/// Rows of (column, value) pairs, compressed.
struct SparseRows: Sendable {
    var offsets: [Int] = [0]
    var columns: [Int32] = []
    var values: [Float] = []

    var rowCount: Int { offsets.count - 1 }

    func transposed(columnCount: Int) -> SparseRows {
        var result = SparseRows()
        result.offsets = prefixSums(columns.lazy.map { Int($0) }, bins: columnCount)
        result.columns = [Int32](repeating: 0, count: columns.count)
        result.values = [Float](repeating: 0, count: columns.count)
        var next = result.offsets
        for row in 0..<rowCount {
            for position in offsets[row]..<offsets[row + 1] {
                let target = next[Int(columns[position])]
                next[Int(columns[position])] += 1
                result.columns[target] = Int32(row)
                result.values[target] = values[position]
            }
        }
        return result
    }
}

/// Distinct ids in ascending order, and back.
struct RowIndex: Sendable {
    let ids: [Int32]
    /// Row per id, -1 for none; empty when the ids are too sparse for a table.
    private let table: [Int32]

    init(_ values: [Int32]) {
        var ids: [Int32] = []
        let largest = Int(values.max() ?? -1)
        if largest < values.count * 8 + 1_000_000 {
            var table = [Int32](repeating: -1, count: largest + 1)
            for value in values { table[Int(value)] = 0 }
            for id in 0..<table.count where table[id] == 0 {
                table[id] = Int32(ids.count)
                ids.append(Int32(id))
            }
            self.table = table
        } else {
            for value in values.sorted() where ids.last != value { ids.append(value) }
            table = []
        }
        self.ids = ids
    }

    func row(of id: Int32) -> Int? {
        if !table.isEmpty {
            guard id >= 0, Int(id) < table.count, table[Int(id)] >= 0 else { return nil }
            return Int(table[Int(id)])
        }
        return ids.withUnsafeBufferPointer { firstRow(of: id, in: $0) }
    }
}

/// Position of a value in an ascending array, nil when it is missing.
func firstRow(of id: Int32, in ids: UnsafeBufferPointer<Int32>) -> Int? {
    var low = 0
    var high = ids.count
    while low < high {
        let middle = (low + high) / 2
        if ids[middle] < id { low = middle + 1 } else { high = middle }
    }
    return low < ids.count && ids[low] == id ? low : nil
}

/// Offsets of a counting sort: bins + 1 values, the first 0.
func prefixSums(_ bins: some Sequence<Int>, bins count: Int) -> [Int] {
    var offsets = [Int](repeating: 0, count: count + 1)
    for bin in bins { offsets[bin + 1] += 1 }
    for bin in 0..<count { offsets[bin + 1] += offsets[bin] }
    return offsets
}
