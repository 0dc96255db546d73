import Glibc

/// Signals that are blocked in this thread, and in every thread it makes later, and taken one at a time.
struct SignalSet {
    private var set = sigset_t()

    /// Blocks the signals. Call it before the first thread of ours is made.
    ///
    /// A library may have made threads before `main` (OpenBLAS does), where nothing is blocked and a signal would end the process. So a
    /// thread that gets one blocks all signals from then on and sends it again, for the thread that waits.
    init(blocking signals: [Int32]) {
        sigemptyset(&set)
        for signal in signals {
            sigaddset(&set, signal)
        }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        var action = sigaction()
        action.sa_flags = SA_SIGINFO | SA_RESTART
        action.__sigaction_handler.sa_sigaction = { number, _, context in
            guard let context = context?.assumingMemoryBound(to: ucontext_t.self) else { return }
            // The mask that the thread goes on with. The kernel's has 64 signals; glibc's type is longer.
            withUnsafeMutableBytes(of: &context.pointee.uc_sigmask) { $0.storeBytes(of: .max, as: UInt64.self) }
            kill(getpid(), number)
        }
        for signal in signals { sigaction(signal, &action, nil) }
    }

    /// The next signal, or nil when none came in time.
    func next(milliseconds: Int) -> Int32? {
        var set = set
        var time = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        let signal = sigtimedwait(&set, nil, &time)
        return signal > 0 ? signal : nil
    }
}
