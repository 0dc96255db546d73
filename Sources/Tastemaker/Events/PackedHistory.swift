/// One event of a user's recent history.
public struct RecentEvent: Sendable, Hashable {
    /// Interned id of the item.
    public var item: Int32
    /// Seconds since 1970, 0 to 2^32 − 1.
    public var seconds: UInt32
    /// Interned id of the event type.
    public var eventType: UInt8

    public init(item: Int32, seconds: UInt32, eventType: UInt8) {
        self.item = item
        self.seconds = seconds
        self.eventType = eventType
    }
}

/// A user's newest events, packed into the bytes of `history.entries`: nine bytes an entry (item int4, seconds uint4, type uint1,
/// little-endian), oldest first. At most 100 per event type and 200 in all: 1.8 KB, so that a row is never toasted.
public enum PackedHistory {
    public static let entrySize = 9
    public static let eventTypeLimit = 100
    public static let limit = 200

    public static func unpack(_ bytes: some RandomAccessCollection<UInt8>) -> [RecentEvent] {
        let bytes = Array(bytes)
        return bytes.withUnsafeBytes { raw in
            (0..<raw.count / entrySize).map { index in
                let base = index * entrySize
                return RecentEvent(
                    item: Int32(littleEndian: raw.loadUnaligned(fromByteOffset: base, as: Int32.self)),
                    seconds: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: base + 4, as: UInt32.self)),
                    eventType: raw[base + 8])
            }
        }
    }

    public static func pack(_ events: [RecentEvent]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(events.count * entrySize)
        for event in events {
            withUnsafeBytes(of: event.item.littleEndian) { bytes.append(contentsOf: $0) }
            withUnsafeBytes(of: event.seconds.littleEndian) { bytes.append(contentsOf: $0) }
            bytes.append(event.eventType)
        }
        return bytes
    }

    /// Adds events that arrived in this order. Equal seconds keep arrival order; beyond a limit the oldest go, of the whole from
    /// the event type that has the most, so that rare purchases outlive frequent views.
    public static func merging(_ old: [RecentEvent], with new: [RecentEvent], limit: Int = limit) -> [RecentEvent] {
        var merged = (old + new).enumerated().sorted { ($0.element.seconds, $0.offset) < ($1.element.seconds, $1.offset) }.map(\.element)
        var counts = [Int](repeating: 0, count: 256)
        for event in merged { counts[Int(event.eventType)] += 1 }
        var surplus = counts.map { max(0, $0 - eventTypeLimit) }
        var total = counts.reduce(0) { $0 + min($1, eventTypeLimit) }
        while total > limit, let largest = counts.indices.max(by: { counts[$0] - surplus[$0] < counts[$1] - surplus[$1] }) {
            surplus[largest] += 1
            total -= 1
        }
        merged.removeAll { event in
            guard surplus[Int(event.eventType)] > 0 else { return false }
            surplus[Int(event.eventType)] -= 1
            return true
        }
        return merged
    }
}
