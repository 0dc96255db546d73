import Dispatch
import Foundation
import Postgres
import Locks

/// Requests of this process by quarter of an hour, operation, target and status, added to the database every few seconds.
public final class RequestCounters: Sendable {
    struct Key: Hashable, Sendable {
        let bucket: Int64
        let datasetGroupID: Int32
        let operation: String
        let target: String
        let code: Int16
    }

    struct Cell: Sendable {
        var requests: Int64 = 0
        /// By the bounds of `latencyBounds`, one more for what is above.
        var latency = [Int64](repeating: 0, count: RequestCounters.latencyBounds.count + 1)
    }

    /// Upper bounds in milliseconds.
    public static let latencyBounds = [1, 2, 5, 10, 20, 50, 100, 250, 1000]
    private static let bucketSeconds: Int64 = 900
    private static let flushSeconds = 3.0
    private static let cellLimit = 5000

    private struct State {
        var cells: [Key: Cell] = [:]
        var isRunning = false
        var isClosed = false
    }

    private let environment: Environment
    private let state = Lock(State())

    public init(environment: Environment) {
        self.environment = environment
    }

    /// Counts one answer. `target`: a campaign's or placement's name, else empty; `datasetGroupID` 0: none was resolved.
    public func count(datasetGroupID: Int32, operation: String, target: String, status: Int, microseconds: Int) {
        let bucket = environment.now().microseconds / 1_000_000 / RequestCounters.bucketSeconds * RequestCounters.bucketSeconds
        let key = Key(bucket: bucket, datasetGroupID: datasetGroupID, operation: operation, target: target, code: Int16(clamping: status))
        let place = RequestCounters.latencyBounds.firstIndex { microseconds <= $0 * 1000 } ?? RequestCounters.latencyBounds.count
        let starts = state.withLock { state in
            guard state.cells.count < RequestCounters.cellLimit || state.cells[key] != nil else { return false }
            state.cells[key, default: Cell()].requests += 1
            state.cells[key]?.latency[place] += 1
            guard !state.isRunning, !state.isClosed else { return false }
            state.isRunning = true
            return true
        }
        if starts { start() }
    }

    private func start() {
        let thread = Thread { [weak self] in
            while true {
                Thread.sleep(forTimeInterval: RequestCounters.flushSeconds)
                guard let self, !self.state.withLock({ $0.isClosed }) else { return }
                self.flush()
            }
        }
        thread.name = "request counters"
        thread.start()
    }

    func close() { state.withLock { $0.isClosed = true } }

    /// Adds what was counted to the database; what cannot be stored waits for the next time.
    public func flush() {
        let cells = state.withLock { state in
            defer { state.cells = [:] }
            return state.cells
        }
        guard !cells.isEmpty else { return }
        do throws(OperationError) {
            try environment.change { try RequestCounterQueries.add(cells.sorted { $0.key.bucket < $1.key.bucket }, $0) }
        } catch {
            state.withLock { state in
                for (key, cell) in cells {
                    var sum = state.cells[key] ?? Cell()
                    sum.requests += cell.requests
                    for index in sum.latency.indices { sum.latency[index] += cell.latency[index] }
                    state.cells[key] = sum
                }
            }
        }
    }
}

enum RequestCounterQueries {
    static func add(_ cells: [(key: RequestCounters.Key, value: RequestCounters.Cell)], _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO request_metric AS m (bucket, dataset_group_id, operation, target, code, requests, latency)
            SELECT b, g, o, t, c, r, l::bigint[]
            FROM unnest(\(cells.map { PGTimestamp(seconds: Int($0.key.bucket)) }), \(cells.map(\.key.datasetGroupID)),
                \(cells.map(\.key.operation)), \(cells.map(\.key.target)), \(cells.map(\.key.code)), \(cells.map(\.value.requests)),
                \(cells.map { text($0.value.latency) })) AS n(b, g, o, t, c, r, l)
            ORDER BY b, g, o, t, c
            ON CONFLICT (bucket, dataset_group_id, operation, target, code) DO UPDATE
            SET requests = m.requests + EXCLUDED.requests,
                latency = ARRAY(SELECT x + y FROM unnest(m.latency, EXCLUDED.latency) WITH ORDINALITY AS s(x, y, i) ORDER BY i)
            """)
    }

    private static func text(_ numbers: [Int64]) -> String { "{" + numbers.map { String($0) }.joined(separator: ",") + "}" }
}
