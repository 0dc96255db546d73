import Glibc
import JSON

/// One line of JSON per request, in one write each, so that the lines of several threads and processes stay whole.
public struct AccessLog: Sendable {
    private let descriptor: Int32

    /// Standard error unless another descriptor is given.
    public init(descriptor: Int32 = 2) {
        self.descriptor = descriptor
    }

    public func write(_ record: RequestObserver.Record) {
        let line = Self.line(record, time: Self.now())
        _ = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
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
        return writer.bytes + [0x0A]
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
