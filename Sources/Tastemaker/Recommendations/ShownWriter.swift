import Dispatch
import Foundation
import Logging
import Postgres
import Locks

/// Writes what was shown, off the critical path: a bounded queue and one thread. Lists beyond the queue are dropped and counted.
final class ShownWriter: Sendable {
    static let listLimit = 5000
    private static let batchLimit = 500

    private struct Queue {
        var lists: [ShownList] = []
        var dropped = 0
        var isClosed = false
        var isRunning = false
    }

    private let environment: Environment
    private let queue = Lock(Queue())
    private let work = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let log = Logger(label: "tastemaker.shown")

    init(environment: Environment) {
        self.environment = environment
    }

    /// Lists that found no place in the queue since the start.
    var droppedCount: Int { queue.withLock { $0.dropped } }

    func add(_ list: ShownList) {
        let wakes = queue.withLock { queue in
            guard queue.lists.count < ShownWriter.listLimit, !queue.isClosed else {
                queue.dropped += 1
                return false
            }
            queue.lists.append(list)
            return startIfNeeded(&queue) || queue.lists.count == 1
        }
        if wakes { work.signal() }
    }

    /// Stores what waits and ends the thread; at most so many seconds.
    func close(within seconds: Int = 5) {
        let isRunning = queue.withLock { queue in
            queue.isClosed = true
            return queue.isRunning
        }
        guard isRunning else { return }
        work.signal()
        _ = ended.wait(timeout: .now() + .seconds(seconds))
    }

    private func startIfNeeded(_ queue: inout Queue) -> Bool {
        guard !queue.isRunning else { return false }
        queue.isRunning = true
        let thread = Thread { [self] in run() }
        thread.name = "shown writer"
        thread.start()
        return true
    }

    private func run() {
        var failures = 0
        while true {
            _ = work.wait(timeout: .now() + .seconds(1))
            // A little later there is more of it, and one transaction holds it all.
            if !queue.withLock({ $0.isClosed }) { Thread.sleep(forTimeInterval: 0.02) }
            while let lists = nextBatch() {
                do {
                    try store(lists)
                    failures = 0
                } catch {
                    failures += 1
                    putBack(failures < 3 ? lists : [])
                    log.warning("shown lists wait", metadata: ["reason": "\(OperationError(error).message)", "attempt": "\(failures)"])
                    if queue.withLock({ $0.isClosed }) {
                        ended.signal()
                        return
                    }
                    Thread.sleep(forTimeInterval: min(5, 0.1 * Double(1 << min(failures, 6))))
                }
            }
            if queue.withLock({ $0.isClosed && $0.lists.isEmpty }) {
                ended.signal()
                return
            }
        }
    }

    private func nextBatch() -> [ShownList]? {
        queue.withLock { queue in
            guard !queue.lists.isEmpty else { return nil }
            let lists = Array(queue.lists.prefix(ShownWriter.batchLimit))
            queue.lists.removeFirst(lists.count)
            return lists
        }
    }

    private func putBack(_ lists: [ShownList]) {
        queue.withLock { queue in
            let room = max(0, ShownWriter.listLimit - queue.lists.count)
            queue.lists = Array(lists.prefix(room)) + queue.lists
            queue.dropped += max(0, lists.count - room)
        }
    }

    private func store(_ lists: [ShownList]) throws {
        // Ids first, in a transaction of their own: making one locks the group's counters.
        let ids = try intern(lists)
        let rows = lists.map { list in
            switch list.visitor {
            case .nobody: (list: list, visitor: ShownQueries.nobody)
            case .known(let id): (list: list, visitor: id)
            case .new(let text): (list: list, visitor: ids[list.datasetGroupID]?[text] ?? ShownQueries.nobody)
            }
        }
        try environment.database.withConnection { try ShownQueries.insert(rows, $0) }
    }

    private func intern(_ lists: [ShownList]) throws -> [Int32: [String: Int32]] {
        var texts: [Int32: Set<String>] = [:]
        for list in lists { if case .new(let visitor) = list.visitor { texts[list.datasetGroupID, default: []].insert(visitor) } }
        var ids: [Int32: [String: Int32]] = [:]
        for (group, visitors) in texts {
            let ordered = visitors.sorted()
            let found = try environment.database.withConnection { try ShownQueries.intern(ordered, groupID: group, $0) }
            ids[group] = Dictionary(zip(ordered, found)) { first, _ in first }
        }
        return ids
    }
}
