import Glibc
import JSON
import Logging

/// The log: one line of JSON per record on standard error, written in one call so that processes do not mix within a line.
struct JSONLines: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    private let label: String

    /// Sends every logger of this process to standard error or another descriptor. Call it once, first.
    static func begin(level: Logger.Level = .info, to descriptor: Int32 = STDERR_FILENO) {
        LoggingSystem.bootstrap { JSONLines(label: $0, level: level, descriptor: descriptor) }
    }

    private let descriptor: Int32

    init(label: String, level: Logger.Level, descriptor: Int32 = STDERR_FILENO) {
        (self.label, logLevel, self.descriptor) = (label, level, descriptor)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata
        if let more = event.metadata {
            fields.merge(more) { $1 }
        }
        var line = JSONWriter()
        line.beginObject()
        line.key("time")
        line.string(Self.now())
        line.key("level")
        line.string(event.level.rawValue)
        line.key("process")
        line.string(label)
        line.key("pid")
        line.integer(getpid())
        line.key("message")
        line.string(event.message.description)
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            line.key(name)
            line.string(value.description)
        }
        line.endObject()
        writeAll(String(decoding: line.bytes, as: UTF8.self) + "\n", to: descriptor)
    }

    private static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var parts = tm()
        gmtime_r(&time.tv_sec, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let fraction = String(1000 + time.tv_nsec / 1_000_000).dropFirst()
        return "\(decoded(buffer)).\(fraction)Z"
    }
}
