/// A value compared by its UTF-8 bytes: `String` would equate canonically equivalent texts, which the database keeps apart.
struct ByteString: Hashable, Sendable {
    let bytes: [UInt8]

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The parts between `|`, without empty ones and without repetitions.
    var parts: [ByteString] {
        guard bytes.contains(UInt8(ascii: "|")) else { return bytes.isEmpty ? [] : [self] }
        var seen: Set<ByteString> = []
        return bytes.split(separator: UInt8(ascii: "|")).map { ByteString($0) }.filter { seen.insert($0).inserted }
    }
}
