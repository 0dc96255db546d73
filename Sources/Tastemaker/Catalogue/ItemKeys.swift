/// External ids of a dataset group's items or users, both ways. Texts lie one after another in one arena; the look-up compares bytes.
public struct ItemKeys: Sendable {
    private var arena: [UInt8] = []
    /// Where each id's text ends; an id that is not there has an empty text.
    private var ends: [UInt32] = []
    /// Open addressing: id + 1, 0 for free. Its length is a power of two.
    private var slots: [Int32] = [Int32](repeating: 0, count: 64)
    public private(set) var keyCount = 0

    public init() {}

    /// One more than the highest id.
    public var count: Int { ends.count }

    /// Adds an id above all that are there; ids between stay empty.
    mutating func append(id: Int32, _ text: [UInt8]) {
        guard Int(id) >= ends.count else { return }
        let end = UInt32(arena.count)
        while ends.count < Int(id) { ends.append(end) }
        arena.append(contentsOf: text)
        ends.append(UInt32(arena.count))
        keyCount += 1
        if keyCount * 2 > slots.count { grow() }
        insert(id)
    }

    /// The text of an id; nil for one that is not there.
    public func text(_ id: Int32) -> String? {
        let bytes = bytes(id)
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    func bytes(_ id: Int32) -> ArraySlice<UInt8> {
        guard id >= 0, Int(id) < ends.count else { return [] }
        let start = id == 0 ? 0 : Int(ends[Int(id) - 1])
        return arena[start..<Int(ends[Int(id)])]
    }

    public func contains(_ id: Int32) -> Bool { !bytes(id).isEmpty }

    /// The id of a text, compared by bytes.
    public func id(_ text: String) -> Int32? {
        var text = text
        return text.withUTF8 { key in
            var slot = ItemKeys.hash(key) & (slots.count - 1)
            while slots[slot] != 0 {
                let id = slots[slot] - 1
                if bytes(id).elementsEqual(key) { return id }
                slot = (slot + 1) & (slots.count - 1)
            }
            return nil
        }
    }

    private mutating func grow() {
        slots = [Int32](repeating: 0, count: slots.count * 2)
        for id in 0..<Int32(ends.count - 1) where contains(id) { insert(id) }
    }

    private mutating func insert(_ id: Int32) {
        var slot = bytes(id).withUnsafeBufferPointer { ItemKeys.hash($0) } & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = id + 1
    }

    /// FNV-1a with 64 bits, folded.
    private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: (hash ^ hash >> 32) & 0x7fff_ffff)
    }
}
