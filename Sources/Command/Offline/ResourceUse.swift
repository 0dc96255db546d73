import Foundation
import Glibc
import Tastemaker

/// What a stretch of work took of this process.
struct ResourceUse {
    var seconds = 0.0
    /// Of all threads, user and system.
    var cpuSeconds = 0.0
    /// The most memory that was resident at once, in bytes.
    var peakBytes = 0

    /// Runs `body`; the peak counts from its start where the system lets it be reset.
    static func measure<T, E: Error>(_ body: () throws(E) -> T) throws(E) -> (T, ResourceUse) {
        PeakMemory.forget()
        let start = ContinuousClock.now
        let cpu = cpuNow()
        let result = try body()
        return (
            result, ResourceUse(seconds: start.duration(to: .now).seconds, cpuSeconds: cpuNow() - cpu, peakBytes: PeakMemory.bytes)
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
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
