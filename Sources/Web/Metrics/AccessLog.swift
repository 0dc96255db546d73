import Glibc
import JSON
import Locks

/// One line of JSON per request. Each thread keeps its lines back for a moment and writes many at once: one write each would have all
/// threads of all processes queue for the file. What goes out in one write ends with a line and is no longer than a pipe takes whole, so that
/// the lines of several processes stay whole.
///
/// `flush` is to be called a few times a second; a process that is killed loses the lines since the last time.
public final class AccessLog: Sendable {
    private static let bufferLimit = 32_768
    /// PIPE_BUF of Linux.
    private static let pieceLimit = 4096

    private final class Lines: Sendable {
        let bytes = Lock<[UInt8]>([])
    }

    private let descriptor: Int32
    private let threads: [Lines]

    /// Standard error unless another descriptor is given. Thread numbers beyond `threads` share places.
    public init(threads: Int, descriptor: Int32 = 2) {
        self.descriptor = descriptor
        self.threads = (0..<max(1, threads)).map { _ in Lines() }
    }

    public func write(_ record: RequestObserver.Record, thread: Int) {
        let line = Self.line(record, time: Self.now())
        threads[thread % threads.count].bytes.withLock { bytes in
            if bytes.count + line.count > AccessLog.bufferLimit { writeOut(&bytes) }
            bytes += line
        }
    }

    /// Writes out what all threads have kept back.
    public func flush() {
        for lines in threads { lines.bytes.withLock { writeOut(&$0) } }
    }

    private func writeOut(_ bytes: inout [UInt8]) {
        bytes.withUnsafeBytes { all in
            var start = 0
            while start < all.count {
                let limit = min(start + AccessLog.pieceLimit, all.count)
                let end = limit == all.count ? limit : all[start..<limit].lastIndex(of: 0x0A).map { $0 + 1 } ?? limit
                let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: all[start..<end]).baseAddress, end - start)
                if written < 0 {
                    if errno == EINTR { continue }
                    break
                }
                start += written
            }
        }
        bytes.removeAll(keepingCapacity: true)
    }

    /// `time` is UTC in ISO 8601 with milliseconds, as in the other lines of the log.
    static func line(_ record: RequestObserver.Record, time: String) -> [UInt8] {
        var writer = JSONWriter(reserving: 320)
        writer.beginObject()
        writer.key("time")
        writer.string(time)
        writer.key("kind")
        writer.string("request")
        writer.key("request")
        writer.string(record.requestID)
        writer.key("method")
        writer.string(record.method)
        writer.key("route")
        writer.string(record.route)
        writer.key("status")
        writer.integer(record.status)
        writer.key("microseconds")
        writer.integer(record.microseconds)
        writer.key("in")
        writer.integer(record.requestBytes)
        writer.key("out")
        writer.integer(record.responseBytes)
        if let failure = record.failure {
            writer.key("failure")
            writer.string(failure)
        }
        writer.endObject()
        writer.newline()
        return writer.bytes
    }

    private static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var parts = tm()
        gmtime_r(&time.tv_sec, &parts)
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { buffer in
            let length = buffer.withMemoryRebound(to: CChar.self) { strftime($0.baseAddress, $0.count, "%Y-%m-%dT%H:%M:%S.", &parts) }
            let milliseconds = time.tv_nsec / 1_000_000
            for (place, divisor) in [100, 10, 1].enumerated() { buffer[length + place] = UInt8(48 + milliseconds / divisor % 10) }
            buffer[length + 3] = UInt8(ascii: "Z")
            return String(decoding: buffer.prefix(length + 4), as: UTF8.self)
        }
    }
}
