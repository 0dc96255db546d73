import Foundation

/// Memory that holds a model's bytes, unchanged for as long as the object lives; mapped files conform to it.
public protocol ModelMemory: AnyObject, Sendable {
    /// Starts on a 64-byte boundary, as mapped pages do.
    var bytes: UnsafeRawBufferPointer { get }
}

/// A model's bytes in ordinary memory, for a model that was never written to a file.
///
/// Sendable because the allocation is written once, in `init`, and only read until `deinit` frees it.
public final class ModelBytes: ModelMemory, @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer

    /// Rows are read from all over the memory: with pages of this size the processor finds them without walks through its tables.
    private static let largePage = 2 << 20

    public init(_ bytes: [UInt8]) {
        let isLarge = bytes.count > 4 * Self.largePage
        memory = .allocate(byteCount: max(bytes.count, 1), alignment: isLarge ? Self.largePage : ModelFormat.alignment)
        count = bytes.count
        if isLarge { madvise(memory.baseAddress, bytes.count, MADV_HUGEPAGE) }
        memory.copyBytes(from: bytes)
    }

    private let count: Int

    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    deinit { memory.deallocate() }
}

/// Read-only numbers inside a model's memory. Sendable because nobody writes them while the model's owner lives, and
/// the model keeps its owner.
struct MappedArray<Element: BitwiseCopyable>: @unchecked Sendable {
    let buffer: UnsafeBufferPointer<Element>

    var count: Int { buffer.count }
    var base: UnsafePointer<Element>? { buffer.baseAddress }

    /// The element, nil outside the bounds: files may be damaged, and buffers are unchecked in optimized builds.
    func at(_ index: Int) -> Element? { index >= 0 && index < buffer.count ? buffer[index] : nil }
}

/// A model file whose header and section table hold together.
struct ModelFile: Sendable {
    let memory: any ModelMemory
    let sections: [ModelSection]

    init(_ memory: any ModelMemory) throws(ModelError) {
        self.memory = memory
        let bytes = memory.bytes
        guard bytes.count >= ModelFormat.headerBytes, bytes.prefix(8).elementsEqual(ModelFormat.magic) else { throw .foreign }
        let version: UInt32 = Self.load(bytes, 8)
        guard version == ModelFormat.version else { throw .unsupportedVersion(Int(version)) }
        guard let base = bytes.baseAddress, Int(bitPattern: base) % ModelFormat.alignment == 0 else {
            throw .damaged("its memory does not start on a \(ModelFormat.alignment)-byte boundary")
        }
        let total: UInt64 = Self.load(bytes, 16)
        guard total == UInt64(bytes.count) else {
            throw .truncated(expectedBytes: Int(clamping: total), actualBytes: bytes.count)
        }
        let count = Int(Self.load(bytes, 12) as UInt32)
        guard count <= ModelFormat.maximumSections,
            ModelFormat.headerBytes + count * ModelFormat.entryBytes <= bytes.count
        else { throw .damaged("its section table does not fit") }
        sections = try Self.readSections(bytes, count)
    }

    private static func readSections(_ bytes: UnsafeRawBufferPointer, _ count: Int) throws(ModelError) -> [ModelSection] {
        var sections: [ModelSection] = []
        for index in 0..<count {
            let at = ModelFormat.headerBytes + index * ModelFormat.entryBytes
            let nameBytes = bytes[at..<at + ModelFormat.nameBytes].prefix { $0 != 0 }
            let name = String(decoding: nameBytes, as: UTF8.self)
            let numbers = (0..<4).map { load(bytes, at + 32 + $0 * 8) as UInt64 }
            guard let type = ModelSection.ElementType(rawValue: load(bytes, at + 24)) else {
                throw .damaged("section \(name) has an unknown type")
            }
            let limit = UInt64(bytes.count)
            let (elements, overflow) = numbers[0].multipliedReportingOverflow(by: numbers[1])
            guard !overflow, numbers[0] <= limit, numbers[1] <= limit, elements <= limit, numbers[3] == elements * UInt64(type.size),
                numbers[2] <= limit,
                numbers[3] <= limit - numbers[2], numbers[2] % UInt64(ModelFormat.alignment) == 0
            else { throw .damaged("section \(name) lies outside the file") }
            sections.append(
                ModelSection(
                    name: name, type: type, rows: Int(numbers[0]), columns: Int(numbers[1]), offset: Int(numbers[2]),
                    byteCount: Int(numbers[3])))
        }
        return sections
    }

    private static func load<Number: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ offset: Int
    ) -> Number {
        Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    func verifyChecksum() throws(ModelError) {
        let stored: UInt64 = Self.load(memory.bytes, ModelFormat.checksumOffset)
        guard ModelFormat.checksum(memory.bytes) == stored else { throw .damaged("its checksum does not match") }
    }

    func section(_ name: String) -> ModelSection? { sections.first { $0.name == name } }

    /// A section as numbers; `count` is what other sections make it have to be.
    func array<Element: BitwiseCopyable>(
        _ name: String, _ type: ModelSection.ElementType, of: Element.Type = Element.self, count: Int? = nil
    ) throws(ModelError) -> MappedArray<Element> {
        guard let section = section(name) else { throw .damaged("section \(name) is missing") }
        guard section.type == type else { throw .damaged("section \(name) has the wrong type") }
        let elements = section.byteCount / MemoryLayout<Element>.stride
        if let count, elements != count { throw .damaged("section \(name) has \(elements) entries instead of \(count)") }
        let slice = UnsafeRawBufferPointer(rebasing: memory.bytes[section.offset..<section.offset + section.byteCount])
        return MappedArray(buffer: slice.bindMemory(to: Element.self))
    }

    func floats(_ name: String, count: Int? = nil) throws(ModelError) -> MappedArray<Float> {
        try array(name, .float32, count: count)
    }

    /// The strings of a text section; an empty section holds none.
    func texts(_ name: String) throws(ModelError) -> [String] {
        let bytes: MappedArray<UInt8> = try array(name, .text)
        if bytes.count == 0 { return [] }
        return bytes.buffer.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    func lists(_ name: String, itemCount: Int) throws(ModelError) -> MappedLists {
        let offsets: MappedArray<UInt32> = try array("\(name).offsets", .uint32, count: itemCount + 1)
        let rows: MappedArray<Int32> = try array("\(name).rows", .int32)
        return MappedLists(offsets: offsets, rows: rows, strengths: try floats("\(name).values", count: rows.count))
    }
}

/// Neighbor lists inside a model's memory.
struct MappedLists: Sendable {
    let offsets: MappedArray<UInt32>
    let rows: MappedArray<Int32>
    let strengths: MappedArray<Float>

    /// Positions of an item's neighbors; empty where a damaged file has nonsense.
    func range(of item: Int) -> Range<Int> {
        guard let start = offsets.at(item), let end = offsets.at(item + 1), start <= end, Int(end) <= rows.count else {
            return 0..<0
        }
        return Int(start)..<Int(end)
    }
}
