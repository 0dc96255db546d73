import Glibc

/// Signals that are blocked in this thread, and in every thread it makes later, and taken one at a time.
struct SignalSet {
    private var set = sigset_t()

    /// Blocks the signals. Call it before the first thread is made.
    init(blocking signals: [Int32]) {
        sigemptyset(&set)
        for signal in signals {
            sigaddset(&set, signal)
        }
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// The next signal, or nil when none came in time.
    func next(milliseconds: Int) -> Int32? {
        var set = set
        var time = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        let signal = sigtimedwait(&set, nil, &time)
        return signal > 0 ? signal : nil
    }
}
