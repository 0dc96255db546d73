import Glibc

/// A moment on the monotonic clock after which waiting ends.
struct Deadline {
    /// Nanoseconds of CLOCK_MONOTONIC; nil waits for ever.
    fileprivate let moment: UInt64?

    static let never = Deadline(moment: nil)

    private init(moment: UInt64?) {
        self.moment = moment
    }

    init(milliseconds: Int) {
        moment = Self.nanoseconds + UInt64(max(0, milliseconds)) * 1_000_000
    }

    static var nanoseconds: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    var hasPassed: Bool { remainingMilliseconds == 0 }

    /// Milliseconds left as poll() wants them: rounded up, -1 for no limit.
    var remainingMilliseconds: Int32 {
        guard let moment else { return -1 }
        let now = Self.nanoseconds
        guard now < moment else { return 0 }
        return Int32(clamping: (moment - now + 999_999) / 1_000_000)
    }
}

extension Deadline {
    static func earlier(_ first: Deadline, _ second: Deadline) -> Deadline {
        guard let left = first.moment else { return second }
        guard let right = second.moment else { return first }
        return left < right ? first : second
    }
}
