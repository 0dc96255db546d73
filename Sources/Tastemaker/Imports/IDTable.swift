import Foundation

/// Texts, compared by bytes, and the numbers they got in order of their first appearance, from 0.
struct IDTable {
    private var bytes: [UInt8] = []
    private var ends: [UInt32] = []
    /// Open addressing: the upper half of the text's hash above its number plus one; 0 is free.
    private var slots = [UInt64](repeating: 0, count: 1024)

    var count: Int { ends.count }

    /// Bytes of memory.
    var size: Int { bytes.capacity + ends.capacity * 4 + slots.count * 8 }

    func text(_ number: Int) -> ArraySlice<UInt8> {
        bytes[(number == 0 ? 0 : Int(ends[number - 1]))..<Int(ends[number])]
    }

    /// Nil when the table holds 4 GiB of text.
    mutating func number(of text: UnsafeBufferPointer<UInt8>) -> UInt32? {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(text))
        let hash = UInt64(UInt(bitPattern: hasher.finalize()))
        let mask = slots.count - 1
        var place = Int(hash >> 32) & mask
        while slots[place] != 0 {
            if (slots[place] >> 32) == (hash >> 32), isEqual(slots[place], to: text) { return UInt32(truncatingIfNeeded: slots[place]) - 1 }
            place = (place + 1) & mask
        }
        guard let end = UInt32(exactly: bytes.count + text.count) else { return nil }
        bytes.append(contentsOf: text)
        ends.append(end)
        slots[place] = (hash >> 32) << 32 | UInt64(count)
        if count * 2 > slots.count { grow() }
        return UInt32(count - 1)
    }

    private func isEqual(_ slot: UInt64, to text: UnsafeBufferPointer<UInt8>) -> Bool {
        let number = Int(UInt32(truncatingIfNeeded: slot)) - 1
        let start = number == 0 ? 0 : Int(ends[number - 1])
        guard Int(ends[number]) - start == text.count else { return false }
        guard let base = text.baseAddress, !text.isEmpty else { return true }
        return bytes.withUnsafeBufferPointer { own in own.baseAddress.map { memcmp($0 + start, base, text.count) == 0 } ?? false }
    }

    private mutating func grow() {
        var larger = [UInt64](repeating: 0, count: slots.count * 2)
        for slot in slots where slot != 0 {
            var place = Int(slot >> 32) & (larger.count - 1)
            while larger[place] != 0 { place = (place + 1) & (larger.count - 1) }
            larger[place] = slot
        }
        slots = larger
    }
}
