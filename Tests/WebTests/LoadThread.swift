import Foundation
import Synchronization

/// Answers counted by several threads.
final class LoadCounts: Sendable {
    private let whole = Atomic<Int>(0)
    private let cut = Atomic<Int>(0)

    func add(isWhole: Bool) {
        if isWhole { whole.add(1, ordering: .relaxed) } else { cut.add(1, ordering: .relaxed) }
    }

    var answered: Int { whole.load(ordering: .relaxed) }
    var broken: Int { cut.load(ordering: .relaxed) }
}

/// A thread that can be waited for.
struct LoadThread {
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () -> Void) {
        let done = done
        Thread.detachNewThread {
            body()
            done.signal()
        }
    }

    func join() {
        done.wait()
    }
}

/// SplitMix64, so that a failing case can be had again.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
