/// Damages a model file in one way, drawn by a seed: the same seed damages the same bytes in the same way.
///
/// It knows the layout (64 bytes of header, then 64 bytes for each section's entry) so that most mutations get past the first
/// checks. Nothing mends the checksum: readers are to be asked without verifying it, as if it were right.
public struct ModelMutation {
    private var random: Source

    public init(seed: UInt64) { random = Source(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1) }

    private static let headerBytes = 64
    private static let entryBytes = 64

    /// Never longer than the bytes by more than a page.
    public mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        for _ in 0..<1 + random.below(3) {
            guard result.count > Self.headerBytes else { break }
            switch random.below(12) {
            case 0: flipBits(&result, in: 0..<result.count)
            case 1: flipBits(&result, in: 0..<Self.headerBytes)
            case 2: flipBits(&result, in: table(result))
            case 3: truncate(&result)
            case 4: extend(&result)
            case 5, 6: editEntry(&result)
            case 7: swapEntries(&result)
            case 8: fillSection(&result)
            case 9, 10: editNumbers(&result)
            default: editText(&result)
            }
        }
        return result
    }

    private func sectionCount(_ bytes: [UInt8]) -> Int {
        min(Int(number(bytes, 12, 4)), (bytes.count - Self.headerBytes) / Self.entryBytes)
    }

    private func table(_ bytes: [UInt8]) -> Range<Int> {
        Self.headerBytes..<Self.headerBytes + max(1, sectionCount(bytes)) * Self.entryBytes
    }

    /// The bytes of a section, as far as they lie within the file.
    private mutating func section(_ bytes: [UInt8]) -> (entry: Int, range: Range<Int>)? {
        let count = sectionCount(bytes)
        guard count > 0 else { return nil }
        let entry = Self.headerBytes + random.below(count) * Self.entryBytes
        let start = Int(min(number(bytes, entry + 48, 8), UInt64(bytes.count)))
        return (entry, start..<start + Int(min(number(bytes, entry + 56, 8), UInt64(bytes.count - start))))
    }

    private mutating func flipBits(_ bytes: inout [UInt8], in range: Range<Int>) {
        let range = range.clamped(to: 0..<bytes.count)
        guard !range.isEmpty else { return }
        for _ in 0..<1 + random.below(8) { bytes[range.lowerBound + random.below(range.count)] ^= 1 << UInt8(random.below(8)) }
    }

    /// Half of the time the header says so.
    private mutating func truncate(_ bytes: inout [UInt8]) {
        bytes.removeLast(1 + random.below(bytes.count - 1))
        if random.below(2) == 0, bytes.count >= 24 { set(&bytes, 16, 8, UInt64(bytes.count)) }
    }

    private mutating func extend(_ bytes: inout [UInt8]) {
        bytes += (0..<1 + random.below(4096)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        if random.below(2) == 0 { set(&bytes, 16, 8, UInt64(bytes.count)) }
    }

    /// Type, rows, columns, offset or length of a section become something else, or the count of sections does.
    private mutating func editEntry(_ bytes: inout [UInt8]) {
        guard let (entry, _) = section(bytes) else { return }
        switch random.below(7) {
        case 0: set(&bytes, entry + 24, 4, UInt64(random.below(8)))
        case 1: set(&bytes, 12, 4, odd())
        case 2:
            // Rows and columns that multiply to the same count pass the sizes.
            let (rows, columns) = (number(bytes, entry + 32, 8), number(bytes, entry + 40, 8))
            set(&bytes, entry + 32, 8, columns)
            set(&bytes, entry + 40, 8, rows)
        case 3: set(&bytes, entry + 48, 8, UInt64(random.below(bytes.count / 64 + 2)) * 64)
        case 4:
            // A shorter or empty section that is right in itself.
            let size: UInt64 = number(bytes, entry + 24, 4) >= 4 ? 1 : 4
            let columns = max(1, number(bytes, entry + 40, 8) % 5000)
            let rows = UInt64(random.below(4))
            set(&bytes, entry + 32, 8, rows)
            set(&bytes, entry + 40, 8, columns)
            set(&bytes, entry + 56, 8, rows * columns * size)
        default: set(&bytes, entry + 32 + random.below(4) * 8, 8, odd())
        }
    }

    private mutating func swapEntries(_ bytes: inout [UInt8]) {
        let count = sectionCount(bytes)
        guard count > 1 else { return }
        let first = Self.headerBytes + random.below(count) * Self.entryBytes
        let second = Self.headerBytes + random.below(count) * Self.entryBytes
        // All but the name, or the name alone.
        let part = random.below(2) == 0 ? 24..<64 : 0..<24
        for offset in part where max(first, second) + offset < bytes.count { bytes.swapAt(first + offset, second + offset) }
    }

    private mutating func fillSection(_ bytes: inout [UInt8]) {
        guard let (_, range) = section(bytes) else { return }
        let filling: UInt8 = [0x00, 0x01, 0x7F, 0x80, 0xFF][random.below(5)]
        for index in range { bytes[index] = filling }
    }

    /// Some aligned numbers of a section become odd ones: rows beyond the items, offsets that fall, infinities.
    private mutating func editNumbers(_ bytes: inout [UInt8]) {
        guard let (_, range) = section(bytes), range.count >= 4 else { return }
        for _ in 0..<1 + random.below(16) {
            let at = range.lowerBound + random.below(range.count / 4) * 4
            let value = random.below(3) == 0 ? [0x7FC0_0000, 0x7F80_0000, 0xFF80_0000, 0x7F7F_FFFF][random.below(4)] : odd()
            set(&bytes, at, 4, value)
        }
    }

    /// Digits of the properties and of other texts.
    private mutating func editText(_ bytes: inout [UInt8]) {
        guard let (entry, range) = section(bytes), !range.isEmpty else { return }
        guard number(bytes, entry + 24, 4) == 5 else { return editText(&bytes, attempts: 40) }
        rewrite(&bytes, range)
    }

    private mutating func editText(_ bytes: inout [UInt8], attempts: Int) {
        for _ in 0..<attempts {
            guard let (entry, range) = section(bytes), !range.isEmpty, number(bytes, entry + 24, 4) == 5 else { continue }
            return rewrite(&bytes, range)
        }
    }

    private mutating func rewrite(_ bytes: inout [UInt8], _ range: Range<Int>) {
        for _ in 0..<1 + random.below(4) {
            bytes[range.lowerBound + random.below(range.count)] = Array("0123456789-.e=\0x".utf8)[random.below(16)]
        }
    }

    /// Small, huge and just beyond.
    private mutating func odd() -> UInt64 {
        [
            0, 1, 2, 63, 64, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 32, 1 << 62, .max, .max - 63, UInt64(random.below(1 << 20)),
            random.next(),
        ][random.below(14)]
    }

    private func number(_ bytes: [UInt8], _ offset: Int, _ width: Int) -> UInt64 {
        guard offset + width <= bytes.count else { return 0 }
        return bytes[offset..<offset + width].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func set(_ bytes: inout [UInt8], _ offset: Int, _ width: Int, _ value: UInt64) {
        guard offset + width <= bytes.count else { return }
        for place in 0..<width { bytes[offset + place] = UInt8(truncatingIfNeeded: value >> UInt64(8 * place)) }
    }

    /// Xorshift (Marsaglia 2003).
    private struct Source {
        var state: UInt64

        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }

        mutating func below(_ bound: Int) -> Int { Int(next() >> 11) % bound }
    }
}
