import Foundation
import Synchronization

/// Tells the caller how far a fit is, and asks whether to go on.
///
/// The caller's function runs on the caller's thread only, with a share that never falls, at most some four times a
/// second inside loops and once at each new step.
final class ProgressReporter {
    private let report: (Double, String) -> Bool
    private var highest = 0.0
    private var lastReport = ContinuousClock.now - .seconds(1)
    private var sentence = ""

    init(_ report: @escaping (Double, String) -> Bool) { self.report = report }

    /// Announces a step.
    func step(_ share: Double, _ sentence: String) throws(FitError) {
        self.sentence = sentence
        try send(share)
    }

    /// Called often from loops; reports only when a quarter of a second has passed.
    func poll(_ share: Double) throws(FitError) {
        if ContinuousClock.now - lastReport >= .milliseconds(250) { try send(share) }
    }

    private func send(_ share: Double) throws(FitError) {
        highest = max(highest, min(share, 1))
        lastReport = .now
        guard report(highest, sentence) else { throw .cancelled }
    }
}

/// A stretch of the progress bar.
struct ProgressSpan {
    let reporter: ProgressReporter
    let start: Double
    let end: Double

    func share(_ done: Double) -> Double { start + (end - start) * done }

    /// Asks from a long step of unknown length whether to go on.
    func poll() throws(FitError) { try reporter.poll(start) }

    func part(_ from: Double, _ to: Double) -> ProgressSpan {
        ProgressSpan(reporter: reporter, start: share(from), end: share(to))
    }
}

/// Runs independent rows on own threads, while the calling one waits for them and asks whether to go on.
///
/// Every row's result depends on the row alone, so the outcome is the same for any number of threads.
struct ParallelRows {
    let threads: Int

    private static let pollInterval = DispatchTimeInterval.milliseconds(100)

    /// `makeWorker` is called once per thread and gives the function that handles a range of rows.
    func run(
        count: Int, chunk: Int, span: ProgressSpan, makeWorker: @Sendable @escaping () -> (Range<Int>) -> Void
    ) throws(FitError) {
        let finished = DispatchGroup()
        let queue = Shared(chunk: chunk, count: count)
        for _ in 0..<max(1, min(threads, (count + chunk - 1) / max(1, chunk))) {
            finished.enter()
            let thread = Thread {
                let work = makeWorker()
                while let range = queue.take() { work(range) }
                finished.leave()
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        var failure: FitError?
        while finished.wait(timeout: .now() + Self.pollInterval) == .timedOut {
            guard failure == nil else { continue }
            do { try span.reporter.poll(span.share(queue.share)) } catch {
                failure = error
                queue.stop()
            }
        }
        if let failure { throw failure }
        try span.reporter.poll(span.end)
    }

    /// Chunks not yet taken.
    private final class Shared: Sendable {
        private let next = Atomic(0)
        private let chunk: Int
        private let count: Int

        init(chunk: Int, count: Int) {
            self.chunk = max(1, chunk)
            self.count = count
        }

        func take() -> Range<Int>? {
            let start = next.add(chunk, ordering: .relaxed).oldValue
            return start < count ? start..<min(count, start + chunk) : nil
        }

        var share: Double { Double(min(count, next.load(ordering: .relaxed))) / Double(max(1, count)) }

        func stop() { next.store(count, ordering: .relaxed) }
    }
}

/// Memory that several threads write at disjoint places while its owner keeps it alive; the owner waits for them.
struct SharedBuffer<Element>: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Element>
}
