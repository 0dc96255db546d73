/// What stood before users when they acted: for some of the events the items that were shown.
///
/// The item acted on is always taken to have been seen, whether its list names it or not. Memory is bounded: when the lists are
/// full, every second one is dropped, and from then on only as many of the new ones are taken, so that what is kept stays spread
/// over all that was offered.
public struct ShownLists: Sendable, Equatable {
    /// Items of one list that count, as many as a put event may name.
    public static let listLimit = 25

    /// The event of each list, as its position among the events.
    private(set) var events: [Int32] = []
    /// Items of list n are at offsets[n]..<offsets[n + 1].
    private(set) var offsets: [Int32] = [0]
    /// Interned ids, or rows of a matrix: -1 for an item without a row.
    private(set) var items: [Int32] = []
    private let capacity: Int
    private var step = 1
    private var offered = 0

    /// - Parameter capacity: items of all lists together; the default takes 36 MB and holds hundreds of choices for each of ten
    ///   thousand items.
    public init(capacity: Int = 8_000_000) {
        self.capacity = max(Self.listLimit, capacity)
    }

    public var count: Int { events.count }
    var byteCount: Int { (events.count + offsets.count + items.count) * 4 }

    /// Positions must be appended in ascending order. Lists without items are passed over.
    public mutating func append(event: Int, _ shown: some Sequence<Int32>) {
        let list = Array(shown.prefix(Self.listLimit))
        guard !list.isEmpty, let position = Int32(exactly: event) else { return }
        offered += 1
        guard offered % step == 0 else { return }
        if items.count + list.count > capacity { dropEverySecond() }
        events.append(position)
        items += list
        offsets.append(Int32(items.count))
    }

    /// Takes the lists of events that come after `count` others, with their items under other numbers.
    public mutating func append(_ later: ShownLists, after count: Int, items newItem: (Int32) -> Int32) {
        for list in 0..<later.count { append(event: count + Int(later.events[list]), later[list].lazy.map(newItem)) }
    }

    private mutating func dropEverySecond() {
        var kept = self
        (kept.events, kept.offsets, kept.items) = ([], [0], [])
        for list in stride(from: 0, to: count, by: 2) { kept.take(self, list, event: events[list]) }
        kept.step = step * 2
        self = kept
    }

    private mutating func take(_ other: ShownLists, _ list: Int, event: Int32) {
        events.append(event)
        items += other[list]
        offsets.append(Int32(items.count))
    }

    subscript(list: Int) -> ArraySlice<Int32> { items[Int(offsets[list])..<Int(offsets[list + 1])] }

    /// The lists of the events that have a new position, with their items under other numbers.
    func renumbered(events newEvent: (Int) -> Int?, items newItem: ((Int32) -> Int32)? = nil) -> ShownLists {
        var result = ShownLists(capacity: capacity)
        for list in 0..<count {
            guard let event = newEvent(Int(events[list])) else { continue }
            result.take(self, list, event: Int32(event))
        }
        if let newItem { for index in result.items.indices { result.items[index] = newItem(result.items[index]) } }
        return result
    }

    /// The lists of the events at the given positions, each now at the place of its position.
    func selecting(_ positions: [Int], of eventCount: Int) -> ShownLists {
        guard count > 0 else { return self }
        var places = [Int32](repeating: -1, count: eventCount)
        for (place, position) in positions.enumerated() { places[position] = Int32(place) }
        return renumbered(events: { places[$0] < 0 ? nil : Int(places[$0]) })
    }
}
