/// Numbers byte strings in the order of their first appearance, from 0. Equal means equal bytes.
///
/// Open addressing over one block of bytes: about 25 bytes an id beside the text, no allocation per id. Each table hashes in its
/// own way, so that nobody can make ids up which all fall into one place.
public struct IDTable: Sendable {
    /// Index + 1 per slot; 0 is free. The count is a power of two, at least twice the number of ids.
    private var slots: [Int32]
    private var hashes: [UInt32] = []
    private var ends: [Int] = [0]
    private var text: [UInt8] = []
    private let key = UInt64.random(in: .min ... .max)

    public init() { slots = [Int32](repeating: 0, count: 1024) }

    public var count: Int { hashes.count }

    /// Bytes of memory.
    public var size: Int { slots.capacity * 4 + hashes.capacity * 4 + ends.capacity * 8 + text.capacity }

    /// The number of these bytes; a new one when they are new.
    public mutating func intern(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        let hash = hash(bytes)
        let slot = place(of: bytes, hash)
        if slots[slot] != 0 { return slots[slot] - 1 }
        text.append(contentsOf: bytes)
        ends.append(text.count)
        hashes.append(hash)
        slots[slot] = Int32(count)
        if count * 2 > slots.count { grow() }
        return Int32(count - 1)
    }

    public mutating func intern(_ bytes: some Collection<UInt8>) -> Int32 {
        let copy = Array(bytes)
        return copy.withUnsafeBufferPointer { intern($0) }
    }

    /// The numbers here of all that another table holds, in its order; new ones where they are new.
    public mutating func intern(all other: IDTable) -> [Int32] {
        other.text.withUnsafeBufferPointer { text in
            (0..<other.count).map { intern(UnsafeBufferPointer(rebasing: text[other.ends[$0]..<other.ends[$0 + 1]])) }
        }
    }

    /// The number of these bytes, nil when they are not here.
    public func find(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32? {
        let found = slots[place(of: bytes, hash(bytes))]
        return found == 0 ? nil : found - 1
    }

    public func find(_ bytes: some Collection<UInt8>) -> Int32? {
        let copy = Array(bytes)
        return copy.withUnsafeBufferPointer { find($0) }
    }

    /// The bytes of a number below `count`.
    public func bytes(of id: Int32) -> ArraySlice<UInt8> { text[ends[Int(id)]..<ends[Int(id) + 1]] }

    /// The slot that holds these bytes, or the free one where they belong.
    private func place(of bytes: UnsafeBufferPointer<UInt8>, _ hash: UInt32) -> Int {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0, !holds(Int(slots[slot]) - 1, bytes, hash) { slot = (slot + 1) & mask }
        return slot
    }

    private func holds(_ id: Int, _ bytes: UnsafeBufferPointer<UInt8>, _ hash: UInt32) -> Bool {
        guard hashes[id] == hash, ends[id + 1] - ends[id] == bytes.count else { return false }
        let start = ends[id]
        return text.withUnsafeBufferPointer { text in
            for index in 0..<bytes.count where text[start + index] != bytes[index] { return false }
            return true
        }
    }

    private mutating func grow() {
        let mask = slots.count * 2 - 1
        slots = [Int32](repeating: 0, count: mask + 1)
        for id in 0..<count {
            var slot = Int(hashes[id]) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = Int32(id + 1)
        }
    }

    /// Eight bytes at a time through the mixing function of SplitMix64.
    private func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        var state = key ^ UInt64(bytes.count)
        var index = 0
        while index < bytes.count {
            var word: UInt64 = 0
            if index + 8 <= bytes.count {
                word = UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: index, as: UInt64.self)
            } else {
                for place in index..<bytes.count { word = word << 8 | UInt64(bytes[place]) }
            }
            state = RandomSource.mix(state &* 0x9E37_79B9_7F4A_7C15 ^ word)
            index += 8
        }
        return UInt32(truncatingIfNeeded: state >> 32)
    }
}
