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

    /// `time` in milliseconds since 1970.
    static func line(_ record: RequestObserver.Record, time: Int) -> [UInt8] {
        var writer = JSONWriter(reserving: 320)
        writer.beginObject()
        writer.key("time")
        writer.integer(time)
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

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
