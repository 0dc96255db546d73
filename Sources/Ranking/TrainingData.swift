/// Interactions to learn from, as parallel arrays ordered by (timestamp, arrival).
///
/// Ids are interned non-negative numbers of one dataset group; they need not be dense. Arrays out of time order are
/// sorted stably before use, so arrival order keeps deciding ties.
public struct TrainingData: Sendable {
    public var users: [Int32]
    public var items: [Int32]
    /// Index into `eventTypeNames`.
    public var eventTypes: [UInt8]
    /// The event's value; NaN where it has none.
    public var values: [Float]
    /// Seconds since 1970.
    public var timestamps: [Int64]
    public var eventTypeNames: [String]
    /// Items may stand here that have no events.
    public var itemMetadata: MetadataTable?
    public var userMetadata: MetadataTable?
    /// At most 150, each with as many codes as there are events.
    public var contexts: [ContextColumn] = []
    public var shown = ShownLists()

    public init(
        users: [Int32] = [], items: [Int32] = [], eventTypes: [UInt8] = [], values: [Float] = [],
        timestamps: [Int64] = [], eventTypeNames: [String] = []
    ) {
        self.users = users
        self.items = items
        self.eventTypes = eventTypes
        self.values = values
        self.timestamps = timestamps
        self.eventTypeNames = eventTypeNames
    }

    public var count: Int { users.count }

    public mutating func reserveCapacity(_ capacity: Int) {
        users.reserveCapacity(capacity)
        items.reserveCapacity(capacity)
        eventTypes.reserveCapacity(capacity)
        values.reserveCapacity(capacity)
        timestamps.reserveCapacity(capacity)
    }

    public mutating func append(user: Int32, item: Int32, eventType: UInt8, value: Float = .nan, timestamp: Int64) {
        users.append(user)
        items.append(item)
        eventTypes.append(eventType)
        values.append(value)
        timestamps.append(timestamp)
    }

    /// The events at the given positions, in the given order.
    func selecting(_ positions: [Int]) -> TrainingData {
        var selected = TrainingData(
            users: positions.map { users[$0] }, items: positions.map { items[$0] },
            eventTypes: positions.map { eventTypes[$0] }, values: positions.map { values[$0] },
            timestamps: positions.map { timestamps[$0] }, eventTypeNames: eventTypeNames)
        (selected.itemMetadata, selected.userMetadata) = (itemMetadata, userMetadata)
        selected.contexts = contexts.map { column in
            ContextColumn(name: column.name, values: column.values, codes: positions.map { column.codes[$0] })
        }
        selected.shown = shown.selecting(positions, of: count)
        return selected
    }

    /// What an event came in, by column.
    func context(of position: Int) -> [String: String] {
        var values: [String: String] = [:]
        for column in contexts where column.codes[position] >= 0 { values[column.name] = column.values[Int(column.codes[position])] }
        return values
    }

    /// Positions in (timestamp, arrival) order; nil when they are so already.
    func timeOrder() -> [Int]? {
        var isOrdered = true
        for position in 1..<max(1, count) where timestamps[position] < timestamps[position - 1] {
            isOrdered = false
            break
        }
        if isOrdered { return nil }
        return (0..<count).sorted { (timestamps[$0], $0) < (timestamps[$1], $1) }
    }
}

/// One event of a user's recent history, as a request carries it. Histories run from oldest to newest.
public struct HistoryEvent: Sendable, Equatable {
    /// Interned item id; ids that the model does not know are passed over.
    public var item: Int32
    /// Index into the model's `eventTypeNames`, or -1 for a type that the model never saw.
    public var eventType: Int16
    /// Seconds since 1970.
    public var timestamp: Int64
    /// NaN where the event has no value.
    public var value: Float

    public init(item: Int32, eventType: Int16 = 0, timestamp: Int64 = 0, value: Float = .nan) {
        self.item = item
        self.eventType = eventType
        self.timestamp = timestamp
        self.value = value
    }
}
