import Foundation

/// Cuts text into words of any script and hashes them, and each pair of neighbors, to 64 bits.
///
/// Text is folded first: compatibility forms to plain ones, marks dropped, case dropped, so that "Café", "CAFE" and "ｃａｆｅ"
/// are one word. Scripts written without blanks (Chinese, Japanese, Thai and their like) give one word per character; their
/// pairs then do what words do elsewhere. No list of words, no language model.
struct TextTokens {
    /// Bytes of one text that are looked at; what stands at the end of a long text seldom tells more.
    static let byteLimit = 16_384
    /// Words longer than this are cut: they are not words.
    private static let wordLimit = 40

    private var words: [UInt64] = []

    /// Words from the start of a text whose pairs count: those of a title. Pairs of a long text are nearly all different, so that each
    /// counts as rare and together they drown its words.
    private static let pairedWords = 24

    /// Hashes of distinct words, then of distinct pairs, in the order of their appearance, at most `limit`.
    mutating func hashes(of text: String, limit: Int) -> [UInt64] {
        words.removeAll(keepingCapacity: true)
        if let folded = Self.plain(text) {
            split(folded.lazy.map { UInt32($0) })
        } else {
            let folded = Self.prefix(text).decomposedStringWithCompatibilityMapping.lowercased()
            split(folded.unicodeScalars.lazy.filter { $0.properties.generalCategory != .nonspacingMark }.map(\.value))
        }
        var seen = Set<UInt64>()
        var result: [UInt64] = []
        for word in words where result.count < limit && seen.insert(word).inserted { result.append(word) }
        for index in words.indices.prefix(Self.pairedWords).dropFirst() where result.count < limit {
            let pair = RandomSource.mix(words[index - 1] &* 3 &+ words[index])
            if seen.insert(pair).inserted { result.append(pair) }
        }
        return result
    }

    /// ASCII text in small letters; nil for other text.
    private static func plain(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for byte in text.utf8.prefix(byteLimit) {
            guard byte < 0x80 else { return nil }
            bytes.append(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte)
        }
        return bytes
    }

    private static func prefix(_ text: String) -> String {
        text.utf8.count <= byteLimit ? text : String(decoding: text.utf8.prefix(byteLimit), as: UTF8.self)
    }

    private mutating func split(_ scalars: some Sequence<UInt32>) {
        var hash: UInt64 = 0
        var length = 0
        func isWord(_ scalar: UInt32) -> Bool {
            if scalar < 0x80 { return (0x30...0x39).contains(scalar) || (0x61...0x7A).contains(scalar) }
            guard let properties = Unicode.Scalar(scalar)?.properties else { return false }
            return properties.isAlphabetic || properties.numericType != nil
        }
        for scalar in scalars {
            guard isWord(scalar) else {
                if length > 0 { words.append(hash) }
                (hash, length) = (0, 0)
                continue
            }
            if Self.standsAlone(scalar) {
                if length > 0 { words.append(hash) }
                words.append(RandomSource.mix(UInt64(scalar) &+ 1))
                (hash, length) = (0, 0)
            } else if length < Self.wordLimit {
                hash = RandomSource.mix(hash &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(scalar) &+ 1)
                length += 1
            }
        }
        if length > 0 { words.append(hash) }
    }

    /// Thai to Myanmar, Khmer, and all of East Asia but Hangul, whose words have blanks between them.
    private static func standsAlone(_ scalar: UInt32) -> Bool {
        (0x0E00...0x109F).contains(scalar) || (0x1780...0x17FF).contains(scalar) || (0x2E80...0x9FFF).contains(scalar)
            || (0x20000...0x3FFFF).contains(scalar)
    }
}
