import Foundation

/// What a product feed may cost.
public struct FeedLimits: Sendable {
    public var items: Int
    /// Bytes of one attribute; an item with a longer one is refused.
    public var fieldBytes: Int
    /// Bytes of the whole feed, uncompressed.
    public var totalBytes: Int
    public var depth: Int

    public init(items: Int = 5_000_000, fieldBytes: Int = 65_536, totalBytes: Int = 4 << 30, depth: Int = 32) {
        self.items = items
        self.fieldBytes = fieldBytes
        self.totalBytes = totalBytes
        self.depth = depth
    }
}

/// Streams a product feed: RSS 2.0 or Atom with the `g:` namespace, or TSV with a header line, told apart by the first byte.
///
/// Items are handed over as they are met, so a broken end comes as an error after good items: stage them and switch at a clean end.
/// A document type declaration ends the reading, entities are not expanded and nothing is fetched.
public struct MerchantFeedReader: Sendable {
    public let limits: FeedLimits

    public init(limits: FeedLimits = FeedLimits()) {
        self.limits = limits
    }

    /// Reads chunks from `next` until it gives an empty one. Throws `FeedError` for a document that is broken, too large or no
    /// feed, and what the closures throw.
    public func read(
        from next: @escaping () throws -> [UInt8], item: (FeedItem) throws -> Void, rejected: (RowError) throws -> Void
    ) throws {
        let source = FeedSource(next: next, limit: limits.totalBytes)
        try source.fill()
        switch source.kind {
        case .empty: throw FeedError(line: 1, reason: "the feed is empty")
        case .gzip: throw FeedError(line: 1, reason: "the feed is compressed with gzip: it must be unpacked first")
        case .xml:
            var parser = try XMLFeedParser(source: source, limits: limits)
            try parser.run(item: item, rejected: rejected)
        case .table: try readTable(source, item: item, rejected: rejected)
        }
    }

    /// Reads a file.
    public func read(path: String, item: (FeedItem) throws -> Void, rejected: (RowError) throws -> Void) throws {
        guard let file = FileHandle(forReadingAtPath: path) else { throw FeedError(reason: "the file cannot be opened") }
        defer { try? file.close() }
        try read(from: { try file.read(upToCount: 65_536).map { [UInt8]($0) } ?? [] }, item: item, rejected: rejected)
    }

    private func readTable(
        _ source: FeedSource, item: (FeedItem) throws -> Void, rejected: (RowError) throws -> Void
    ) throws {
        let delimiter = FileSample.delimiter(of: source.pending)
        var reader = CSVReader(
            delimiter: delimiter, backslashEscapes: false, limits: CSVLimits(fieldBytes: limits.fieldBytes))
        var names: [String] = []
        var count = 0
        func use(_ row: borrowing CSVRow) throws {
            count += 1
            guard count <= limits.items else { throw FeedError(line: row.line, reason: "more than \(limits.items) items") }
            var attributes: [String: [UInt8]] = [:]
            for (index, name) in names.enumerated() where attributes[name] == nil && FeedItem.attributes.contains(name) {
                attributes[name] = row.bytes(index)
            }
            let result: FeedItem
            do throws(RowError) { result = try FeedItem(attributes: attributes, line: row.line) } catch { return try rejected(error) }
            try item(result)
        }
        func setHeader(_ header: [String]) throws {
            names = header.map(FeedItem.attribute)
            guard names.contains("id") else { throw FeedError(line: 1, reason: "the header line has no column id") }
        }
        do {
            while let chunk = try source.nextChunk() {
                try reader.read(chunk, header: { try setHeader($0) }, row: { try use($0) }, rejected: { try rejected($0) })
            }
            try reader.finish(header: { try setHeader($0) }, row: { try use($0) }, rejected: { try rejected($0) })
        } catch let error as RowError where names.isEmpty {
            throw FeedError(line: error.line, reason: error.reason)
        }
        if names.isEmpty { throw FeedError(line: 1, reason: "the feed is empty") }
    }
}

/// The bytes of a feed, counted. A class because the parser's C callback reaches it by address.
final class FeedSource {
    enum Kind { case empty, gzip, xml, table }

    private let next: () throws -> [UInt8]
    private let limit: Int
    private var total = 0
    private var isAtEnd = false
    /// Read and not handed on yet.
    private(set) var pending: [UInt8] = []
    private var used = 0
    /// Why reading failed, kept while the parser unwinds.
    var failure: (any Error)?
    /// What the parser complained of first.
    var complaint: FeedError?

    init(next: @escaping () throws -> [UInt8], limit: Int) {
        self.next = next
        self.limit = limit
    }

    /// Reads on until the kind can be told: past the byte order mark and blanks.
    func fill() throws {
        while !isAtEnd, pending.count < 1_024 {
            let chunk = try pull()
            if chunk.isEmpty { return }
            pending += chunk
        }
    }

    private func pull() throws -> [UInt8] {
        guard !isAtEnd else { return [] }
        let chunk = try next()
        isAtEnd = chunk.isEmpty
        total += chunk.count
        if total > limit { throw FeedError(reason: "the feed has more than \(limit) bytes") }
        return chunk
    }

    var kind: Kind {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
        if pending.starts(with: [0x1F, 0x8B]) { return .gzip }
        if pending.starts(with: [0xFF, 0xFE]) || pending.starts(with: [0xFE, 0xFF]) { return .xml }
        let text = pending.starts(with: [0xEF, 0xBB, 0xBF]) ? pending.dropFirst(3) : pending[...]
        guard let first = text.first(where: { !isBlank($0) }) else { return .empty }
        return first == UInt8(ascii: "<") ? .xml : .table
    }

    /// nil at the end.
    func nextChunk() throws -> [UInt8]? {
        if used < pending.count {
            defer { drop() }
            return Array(pending[used...])
        }
        let chunk = try pull()
        return chunk.isEmpty ? nil : chunk
    }

    private func drop() {
        pending = []
        used = 0
    }

    /// Fills a parser's buffer: the count, 0 at the end, -1 after a failure.
    func copy(into buffer: UnsafeMutableRawBufferPointer) -> Int32 {
        if used == pending.count {
            do {
                pending = try pull()
                used = 0
            } catch {
                failure = error
                return -1
            }
        }
        let count = min(buffer.count, pending.count - used)
        pending.withUnsafeBytes { buffer.copyBytes(from: $0[used..<used + count]) }
        used += count
        return Int32(count)
    }
}
