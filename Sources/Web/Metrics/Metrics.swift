import Locks

/// Counters and histograms of all processes of an installation, as one Prometheus page.
///
/// Each process counts in a file of its own in a common folder; whoever is asked for the page adds up all files.
/// Bounded: a process keeps at most 2,048 numbers; what goes beyond, and what is not declared, is counted as dropped.
public final class Metrics: Sendable {
    /// A number that only grows. Quick to add to: get it once, keep it.
    public struct Counter: Sendable {
        fileprivate let file: MetricsFile
        fileprivate let slot: Int

        public func add(_ amount: UInt64 = 1) {
            file.add(amount, to: slot)
        }
    }

    /// Times by operation.
    public struct Histogram: Sendable {
        fileprivate let file: MetricsFile
        fileprivate let slot: Int
        fileprivate let bounds: [Double]

        public func observe(_ seconds: Double) {
            file.add(1, to: slot + (bounds.firstIndex { seconds <= $0 } ?? bounds.count))
            file.add(UInt64(max(0, min(seconds, 1e9)) * 1e9), to: slot + bounds.count + 1)
        }
    }

    private struct Index {
        var slots: [String: Int] = [:]
        var next = 0
    }

    private let families: [MetricFamily]
    private let folder: MetricsFolder?
    private let file: MetricsFile
    private let index = Lock(Index())
    private let dropped: Int

    static let droppedFamily = MetricFamily(
        "tastemaker_metrics_dropped_total", .counter, help: "Measurements without a place among the bounded series.")

    /// Without a folder the numbers are those of this process alone.
    public init(folder path: String?, families: [MetricFamily]) {
        self.families = families + [Self.droppedFamily]
        folder = path.map { MetricsFolder(path: $0) }
        file = MetricsFile(path: folder?.newFile())
        dropped = 0
        file.name(dropped, Array(Self.droppedFamily.name.description.utf8))
        index.withLock { $0.next = 1 }
    }

    /// The counter of a declared family. Label values must come from a bounded set: never ids of users or items.
    public func counter(_ name: StaticString, _ labels: [(StaticString, String)] = []) -> Counter {
        let isDeclared = families.contains { $0.name.description == name.description && $0.kind == .counter }
        let series = Self.series(name.description, labels)
        return Counter(file: file, slot: isDeclared ? slots(series, [series]) ?? dropped : dropped)
    }

    public func increment(_ name: StaticString, _ labels: [(StaticString, String)] = [], by amount: UInt64 = 1) {
        counter(name, labels).add(amount)
    }

    /// The histogram of a declared family; nil when there is no place for it.
    public func histogram(_ name: StaticString, _ labels: [(StaticString, String)] = []) -> Histogram? {
        for family in families where family.name.description == name.description {
            guard case .histogram(let bounds) = family.kind else { continue }
            var names = (bounds.map { "\($0)" } + ["+Inf"]).map { bound in
                Self.series(name.description + "_bucket", labels + [("le", bound)])
            }
            names.append(Self.series(name.description + "_sum", labels))
            guard let slot = slots(names[names.count - 1], names) else { return nil }
            return Histogram(file: file, slot: slot, bounds: bounds)
        }
        file.add(1, to: dropped)
        return nil
    }

    public func observe(_ seconds: Double, _ name: StaticString, _ labels: [(StaticString, String)] = []) {
        histogram(name, labels)?.observe(seconds)
    }

    /// The page of all processes in Prometheus text format 0.0.4.
    public func page() -> [UInt8] {
        MetricsPage(families: families, values: file.isShared ? folder?.sums() ?? file.values() : file.values()).text
    }

    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The first of adjacent slots with these names, made when `key` is new. Nil, and counted, when they do not fit.
    private func slots(_ key: String, _ names: [String]) -> Int? {
        let found = index.withLock { index -> Int? in
            if let known = index.slots[key] { return known }
            guard index.next + names.count <= MetricsFile.slotCount, names.allSatisfy({ $0.utf8.count <= MetricsFile.nameLimit }) else {
                return nil
            }
            let first = index.next
            for (offset, name) in names.enumerated() { file.name(first + offset, Array(name.utf8)) }
            index.slots[key] = first
            index.next += names.count
            return first
        }
        if found == nil { file.add(1, to: dropped) }
        return found
    }

    /// `name{label="value"}` with backslash, quote and line break escaped.
    static func series(_ name: String, _ labels: [(StaticString, String)]) -> String {
        guard !labels.isEmpty else { return name }
        var bytes = Array(name.utf8)
        for (index, label) in labels.enumerated() {
            bytes.append(UInt8(ascii: index == 0 ? "{" : ","))
            bytes += label.0.description.utf8
            bytes += "=\"".utf8
            for byte in label.1.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): bytes += "\\\\".utf8
                case UInt8(ascii: "\""): bytes += "\\\"".utf8
                case 0x0A: bytes += "\\n".utf8
                default: bytes.append(byte)
                }
            }
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }
}
