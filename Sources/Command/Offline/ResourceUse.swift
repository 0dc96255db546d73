import Foundation
import Glibc

/// What a stretch of work took of this process.
struct ResourceUse {
    var seconds = 0.0
    /// Of all threads, user and system.
    var cpuSeconds = 0.0
    /// The most memory that was resident at once, in bytes.
    var peakBytes = 0

    /// Runs `body`; the peak counts from its start where the system lets it be reset.
    static func measure<T, E: Error>(_ body: () throws(E) -> T) throws(E) -> (T, ResourceUse) {
        resetPeak()
        let start = ContinuousClock.now
        let cpu = cpuNow()
        let result = try body()
        return (
            result, ResourceUse(seconds: start.duration(to: .now).seconds, cpuSeconds: cpuNow() - cpu, peakBytes: peakNow())
        )
    }

    private static func cpuNow() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// CPU seconds of the calling thread.
    static func threadCPU() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func resetPeak() {
        let descriptor = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        writeAll("5", to: descriptor)
        close(descriptor)
    }

    static func peakNow() -> Int {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
        else { return 0 }
        return (Int(line.filter(\.isNumber)) ?? 0) * 1024
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
