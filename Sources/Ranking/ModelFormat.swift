/// The layout of a model file.
///
/// 64 bytes of header, then 64 bytes for each section's entry, then the sections, each on a 64-byte boundary; all
/// numbers little-endian. Header: magic (8 bytes), format version (4), section count (4), total length (8),
/// checksum (8), zeros. Entry: name (24 bytes, zero-padded), element type (4), zeros (4), rows (8), columns (8),
/// offset (8), length in bytes (8).
enum ModelFormat {
    static let magic: [UInt8] = Array("TASTEMOD".utf8)
    static let version: UInt32 = 1
    static let headerBytes = 64
    static let entryBytes = 64
    static let nameBytes = 24
    static let alignment = 64
    /// Three for each of 256 event types, and the parts of a blend.
    static let maximumSections = 1024
    static let checksumOffset = 24

    static func aligned(_ offset: Int) -> Int { (offset + alignment - 1) / alignment * alignment }

    /// 64 bits over all bytes but the checksum's own, which count as zeros. Four lanes of multiply and rotate after
    /// xxHash (Collet); guards against damage, not against forgery.
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let prime: UInt64 = 0x9E37_79B1_85EB_CA87
        let second: UInt64 = 0xC2B2_AE3D_27D4_EB4F
        var a = prime &+ second, b = second, c = UInt64(bytes.count), d = 0 &- prime
        var offset = 0
        func word(_ at: Int) -> UInt64 {
            at == checksumOffset ? 0 : UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        }
        func round(_ lane: UInt64, _ at: Int) -> UInt64 {
            let mixed = lane &+ word(at) &* second
            return (mixed << 31 | mixed >> 33) &* prime
        }
        while offset + 32 <= bytes.count {
            a = round(a, offset)
            b = round(b, offset + 8)
            c = round(c, offset + 16)
            d = round(d, offset + 24)
            offset += 32
        }
        var sum = RandomSource.mix(a) ^ RandomSource.mix(b &+ 1) ^ RandomSource.mix(c &+ 2) ^ RandomSource.mix(d &+ 3)
        while offset < bytes.count {
            sum = RandomSource.mix(sum ^ UInt64(bytes[offset]) &* prime)
            offset += 1
        }
        return RandomSource.mix(sum)
    }
}

/// What a section holds.
public struct ModelSection: Sendable, Equatable {
    public enum ElementType: UInt32, Sendable {
        case float32 = 1, int32 = 2, uint32 = 3, uint8 = 4, text = 5

        var size: Int {
            switch self {
            case .float32, .int32, .uint32: 4
            case .uint8, .text: 1
            }
        }
    }

    public var name: String
    public var type: ElementType
    public var rows: Int
    public var columns: Int
    /// Bytes from the start of the file.
    public var offset: Int
    public var byteCount: Int
}

/// A section on its way into a file.
struct SectionContent: Sendable {
    var name: String
    var type: ModelSection.ElementType
    var rows: Int
    var columns: Int
    var bytes: [UInt8]

    init(_ name: String, _ values: [Float], columns: Int = 1) {
        self.init(name, .float32, count: values.count, columns: columns, values.withUnsafeBytes { Array($0) })
    }

    init(_ name: String, _ values: [Int32]) {
        self.init(name, .int32, count: values.count, columns: 1, values.withUnsafeBytes { Array($0) })
    }

    init(_ name: String, _ values: [UInt32]) {
        self.init(name, .uint32, count: values.count, columns: 1, values.withUnsafeBytes { Array($0) })
    }

    init(_ name: String, _ values: [UInt8]) { self.init(name, .uint8, count: values.count, columns: 1, values) }

    /// The section of another file, as it is there.
    init(_ section: ModelSection, in bytes: UnsafeRawBufferPointer) {
        (name, type, rows, columns) = (section.name, section.type, section.rows, section.columns)
        self.bytes = Array(bytes[section.offset..<section.offset + section.byteCount])
    }

    /// Strings without U+0000, separated by it.
    init(_ name: String, texts: [String]) {
        let bytes = Array(texts.joined(separator: "\0").utf8)
        self.init(name, .text, count: bytes.count, columns: 1, bytes)
    }

    private init(_ name: String, _ type: ModelSection.ElementType, count: Int, columns: Int, _ bytes: [UInt8]) {
        self.name = name
        self.type = type
        self.columns = columns
        rows = count / max(1, columns)
        self.bytes = bytes
    }

    static func lists(_ name: String, _ lists: NeighborLists) -> [SectionContent] {
        [
            SectionContent("\(name).offsets", lists.offsets), SectionContent("\(name).rows", lists.rows),
            SectionContent("\(name).values", lists.strengths),
        ]
    }
}

extension ModelFormat {
    /// The whole file.
    static func encode(_ sections: [SectionContent]) -> [UInt8] {
        var offset = aligned(headerBytes + sections.count * entryBytes)
        var table: [UInt8] = []
        var starts: [Int] = []
        for section in sections {
            table += (Array(section.name.utf8.prefix(nameBytes)) + [UInt8](repeating: 0, count: nameBytes)).prefix(nameBytes)
            append(section.type.rawValue, to: &table)
            append(UInt32(0), to: &table)
            for number in [section.rows, section.columns, offset, section.bytes.count] { append(UInt64(number), to: &table) }
            starts.append(offset)
            offset = aligned(offset + section.bytes.count)
        }
        var file: [UInt8] = []
        file.reserveCapacity(offset)
        file += magic
        append(version, to: &file)
        append(UInt32(sections.count), to: &file)
        append(UInt64(offset), to: &file)
        file += [UInt8](repeating: 0, count: headerBytes - file.count)
        file += table
        for (section, start) in zip(sections, starts) {
            file += [UInt8](repeating: 0, count: start - file.count)
            file += section.bytes
        }
        file += [UInt8](repeating: 0, count: offset - file.count)
        var sum: [UInt8] = []
        append(file.withUnsafeBytes { checksum($0) }, to: &sum)
        file.replaceSubrange(checksumOffset..<checksumOffset + 8, with: sum)
        return file
    }

    private static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
