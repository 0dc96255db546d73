import Foundation
import Ranking

/// Reads interactions.csv. Stretches of whole lines are read on several threads and joined in their order, as long as no quote
/// occurs, within which a line break would not end a row; from the first quote on one thread reads.
struct InteractionReader {
    let path: String
    let threads: Int
    private(set) var rows = InteractionRows()

    /// Large enough for most ids of a stretch to be known in it already, small enough for their table to stay in a core's cache.
    private let stretchBytes: Int

    init(path: String, threads: Int = ProcessInfo.processInfo.activeProcessorCount, stretchBytes: Int = 4 << 20) {
        (self.path, self.threads, self.stretchBytes) = (path, threads, stretchBytes)
    }

    private struct QuoteFound: Error {}

    mutating func read() throws {
        let path = path
        var lines = PlainLines(stretchBytes: stretchBytes)
        var work = OrderedWork<Result<InteractionRows, any Error>>()
        var rows = InteractionRows()
        func join(_ limit: Int) throws {
            while work.count > limit, let next = work.next() { try rows.append(next.get(), path: path) }
        }
        func start(_ stretch: PlainLines.Stretch) throws {
            work.start {
                Result {
                    var rows = InteractionRows()
                    try rows.read(path: path, lineOffset: stretch.lineOffset, from: .bytes(stretch.bytes))
                    return rows
                }
            }
            try join(2 * threads)
        }
        defer { while work.next() != nil {} }
        var isPlain = true
        do {
            try FileBytes(path: path).read { piece in
                guard lines.add(piece) else { throw QuoteFound() }
                if let stretch = lines.stretch(atEnd: false) { try start(stretch) }
            }
            if let stretch = lines.stretch(atEnd: true) { try start(stretch) }
        } catch is QuoteFound {
            isPlain = false
        }
        try join(0)
        if !isPlain { try rows.read(path: path, lineOffset: lines.lineOffset, from: .rest(lines, of: FileBytes(path: path))) }
        // An empty file is refused as one.
        if isPlain, lines.isEmpty { try rows.read(path: path, lineOffset: 0, from: .bytes([])) }
        self.rows = rows
    }
}

/// What a CSV file is read from.
enum ByteSource {
    case file(FileBytes)
    case bytes([UInt8])
    /// The header and what the lines did not hand out.
    case rest(PlainLines, of: FileBytes)

    func read(_ body: ([UInt8]) throws -> Void) throws {
        switch self {
        case .file(let file): try file.read(body)
        case .bytes(let bytes): try body(bytes)
        case .rest(let lines, let file): try lines.readRest(file, body)
        }
    }
}

/// Cuts a file without quotes into stretches of whole lines, each with the file's header before it.
struct PlainLines {
    struct Stretch: Sendable {
        var bytes: [UInt8]
        /// Added to a line of `bytes` gives that of the file.
        var lineOffset: Int
    }

    let stretchBytes: Int
    private var pending: [UInt8] = []
    /// Up to the end of the first line that is not empty.
    private var header: [UInt8] = []
    private var headerLines = 0
    /// Of the file, in stretches that were handed out.
    private var takenBytes = 0
    private var takenLines = 0

    init(stretchBytes: Int) { self.stretchBytes = stretchBytes }

    var isEmpty: Bool { takenBytes == 0 && pending.isEmpty }
    var lineOffset: Int { takenLines - headerLines }

    /// False where the piece has a quote: neither it nor what is pending can be cut at line breaks.
    mutating func add(_ piece: [UInt8]) -> Bool {
        let hasQuote = piece.withUnsafeBytes { bytes in bytes.baseAddress.map { memchr($0, 0x22, bytes.count) != nil } ?? false }
        if hasQuote { return false }
        pending += piece
        return true
    }

    /// The whole lines that are there, when they are enough; at the end of the file all that is left.
    mutating func stretch(atEnd: Bool) -> Stretch? {
        guard atEnd || pending.count >= stretchBytes, !pending.isEmpty else { return nil }
        guard let last = atEnd ? pending.count - 1 : pending.lastIndex(of: 0x0A) else { return nil }
        let lines = pending[...last].count { $0 == 0x0A }
        let stretch = Stretch(bytes: header + pending[...last], lineOffset: lineOffset)
        if header.isEmpty { takeHeader() }
        takenBytes += last + 1
        takenLines += lines
        pending.removeFirst(last + 1)
        return stretch
    }

    private mutating func takeHeader() {
        var hasText = false
        for byte in pending {
            header.append(byte)
            guard byte == 0x0A else {
                hasText = hasText || byte != 0x0D
                continue
            }
            headerLines += 1
            if hasText { return }
        }
    }

    /// The header and what was not handed out.
    func readRest(_ file: FileBytes, _ body: ([UInt8]) throws -> Void) throws {
        if !header.isEmpty { try body(header) }
        var left = takenBytes
        try file.read { piece in
            if left < piece.count { try body(left > 0 ? Array(piece[left...]) : piece) }
            left = max(0, left - piece.count)
        }
    }
}

/// Work on other threads whose results are taken in the order in which it was started.
struct OrderedWork<Value: Sendable> {
    private let queue = DispatchQueue(label: "ordered-work", attributes: .concurrent)
    private var slots: [Slot] = []

    /// Sendable because the value is written once before the signal and read after the wait for it.
    private final class Slot: @unchecked Sendable {
        let isDone = DispatchSemaphore(value: 0)
        var value: Value?
    }

    var count: Int { slots.count }

    mutating func start(_ body: @Sendable @escaping () -> Value) {
        let slot = Slot()
        slots.append(slot)
        queue.async {
            slot.value = body()
            slot.isDone.signal()
        }
    }

    /// Waits for the oldest; nil when nothing is under way.
    mutating func next() -> Value? {
        guard !slots.isEmpty else { return nil }
        let slot = slots.removeFirst()
        slot.isDone.wait()
        return slot.value
    }
}
