import Foundation
import JSON
import Postgres
import Support
import Synchronization
import Testing

@testable import Tastemaker

@Suite struct JobQueueTests {
    let database: TestDatabase
    let clock = TestClock()
    let environment: Environment

    init() throws {
        database = try TestDatabase.make()
        environment = try Environment.test(database, clock: clock, connections: 16)
    }

    private func worker(_ handler: @escaping JobRule.Handler, abandon: @escaping JobRule.Abandon = { _, _, _, _ in }) -> JobWorker {
        JobWorker(environment, table: JobTable([.clean: JobRule(handler: handler, abandon: abandon)]))
    }

    private func add(_ count: Int = 1, key: String? = nil) throws -> [Int64] {
        try (0..<count).map { index in
            try environment.transact { connection in
                try environment.enqueue(NewJob(kind: .clean, payload: ["n": .integer(Int64(index))], uniqueKey: key), connection)
            }
        }
    }

    private func job(_ id: Int64) throws -> Job { try environment.describeJob(id: id, by: .system) }

    private func sql(_ sql: SQL) throws {
        try environment.transact { connection in _ = try connection.execute(sql) }
    }

    private func wait(_ what: String, until condition: () throws -> Bool) throws {
        let deadline = Date(timeIntervalSinceNow: 20)
        while try !condition() {
            try #require(Date() < deadline, "waited too long for \(what)")
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    @Test func `a notification wakes a worker, and the job completes with its progress`() throws {
        let worker = worker { _, context in context.progress(0.5, message: "half") }
        worker.start()
        defer { worker.stop() }
        let id = try add()[0]
        try wait("completion") { try job(id).state == .completed }
        #expect(try job(id).progress == 1)
        #expect(try job(id).attempt == 1)
    }

    @Test func `two workers never run one job twice`() throws {
        let runs = Mutex<[Int64: Int]>([:])
        let handler: JobRule.Handler = { _, context in runs.withLock { $0[context.id, default: 0] += 1 } }
        let workers = (0..<4).map { _ in worker(handler) }
        let ids = try add(100)
        DispatchQueue.concurrentPerform(iterations: 4) { index in workers[index].runAvailable() }
        #expect(runs.withLock { $0 } == Dictionary(uniqueKeysWithValues: ids.map { ($0, 1) }))
    }

    @Test func `a dead worker's job is taken over once, and the late twin publishes nothing`() throws {
        let id = try add()[0]
        let dead = worker { _, _ in }
        let claimed = try #require(dead.claim([.clean]))
        try sql("UPDATE job SET lease_until = clock_timestamp() - interval '1 second' WHERE id = \(id)")
        let runs = Mutex(0)
        let other = worker { _, _ in runs.withLock { $0 += 1 } }
        try other.rescue()
        #expect(other.runAvailable() == 1)
        #expect(runs.withLock { $0 } == 1)
        #expect(try job(id).attempt == 2)
        let twin = JobContext(claimed)
        #expect(throws: JobInterruption.lost) { try environment.transact { try twin.finish($0, at: clock.now) } }
        #expect(throws: JobInterruption.lost) { try environment.transact { try twin.requireCurrent($0) } }
        try other.rescue()
        #expect(other.runAvailable() == 0)
    }

    @Test func `a job that kills every worker ends discarded`() throws {
        let id = try add()[0]
        let ends = Mutex<[JobEnd]>([])
        let worker = worker({ _, _ in }, abandon: { _, _, end, _ in ends.withLock { $0.append(end) } })
        for _ in 0..<3 {
            _ = try #require(worker.claim([.clean]))
            try sql("UPDATE job SET lease_until = clock_timestamp() - interval '1 second' WHERE id = \(id)")
            try worker.rescue()
        }
        #expect(try job(id).state == .discarded)
        #expect(ends.withLock { $0 } == [.failed(reason: "The worker died in every one of 3 attempts.")])
        #expect(worker.claim([.clean]) == nil)
    }

    @Test func `a failing job is tried again after growing pauses, three times in all`() throws {
        struct Trouble: Error {}
        let id = try add()[0]
        let worker = worker { _, _ in throw Trouble() }
        #expect(worker.runAvailable() == 1)
        #expect(worker.runAvailable() == 0)
        clock.advance(seconds: 4.9)
        #expect(worker.runAvailable() == 0)
        clock.advance(seconds: 0.2)
        #expect(worker.runAvailable() == 1)
        clock.advance(seconds: 5.1)
        #expect(worker.runAvailable() == 0)
        clock.advance(seconds: 5)
        #expect(worker.runAvailable() == 1)
        #expect(try job(id).state == .discarded)
        #expect(try job(id).error == "Trouble()")
    }

    @Test func `pauses double and end at ten minutes`() {
        #expect((1...4).map { JobBackoff.seconds(afterAttempt: $0) } == [5, 10, 20, 40])
        #expect(JobBackoff.seconds(afterAttempt: 60) == 600)
    }

    @Test func `a failure that no attempt would change ends at once`() throws {
        let id = try add()[0]
        #expect(worker { _, _ in throw JobFailure("The file is not there.") }.runAvailable() == 1)
        #expect(try job(id).state == .discarded)
        #expect(try job(id).error == "The file is not there.")
    }

    @Test func `a unique key holds one live job, and is free again when it ends`() throws {
        let first = try add(key: "k")[0]
        #expect(try add(key: "k")[0] == first)
        _ = worker { _, _ in }.runAvailable()
        #expect(try add(key: "k")[0] != first)
    }

    @Test func `a waiting job is cancelled at once`() throws {
        let id = try add()[0]
        #expect(try environment.cancelJob(id: id, by: .system).state == .cancelled)
        #expect(worker { _, _ in }.runAvailable() == 0)
        #expect(throws: OperationError.inUse("The job has ended already: it is cancelled.")) {
            try environment.cancelJob(id: id, by: .system)
        }
    }

    @Test func `a running job hears of its cancelling`() throws {
        let id = try add()[0]
        let ends = Mutex<[JobEnd]>([])
        let worker = worker(
            { environment, context in
                _ = try environment.cancelJob(id: context.id, by: .system)
                let deadline = Date(timeIntervalSinceNow: 20)
                while Date() < deadline {
                    try context.checkInterruption()
                    Thread.sleep(forTimeInterval: 0.02)
                }
            }, abandon: { _, _, end, _ in ends.withLock { $0.append(end) } })
        #expect(worker.runAvailable() == 1)
        #expect(try job(id).state == .cancelled)
        #expect(ends.withLock { $0 } == [.cancelled])
    }

    @Test func `a worker that ends gives its job back at once, and the attempt does not count`() throws {
        let id = try add()[0]
        let isRunning = Mutex(false)
        let worker = worker { _, context in
            isRunning.withLock { $0 = true }
            while true {
                try context.checkInterruption()
                Thread.sleep(forTimeInterval: 0.02)
            }
        }
        worker.start()
        try wait("the job to run") { isRunning.withLock { $0 } }
        worker.stop()
        let released = try job(id)
        #expect(released.state == .available)
        #expect(released.maxAttempts - released.attempt == 3)
        _ = self.worker { _, _ in }.runAvailable()
        #expect(try job(id).state == .completed)
    }

    @Test func `a job that does not look up loses its lease when the worker ends`() throws {
        let id = try add()[0]
        let isRunning = Mutex(false)
        let mayEnd = DispatchSemaphore(value: 0)
        let worker = worker { _, _ in
            isRunning.withLock { $0 = true }
            mayEnd.wait()
        }
        worker.start()
        try wait("the job to run") { isRunning.withLock { $0 } }
        worker.stop(within: 0.1)
        #expect(try job(id).state == .available)
        _ = self.worker { _, _ in }.runAvailable()
        #expect(try job(id).state == .completed)
        #expect(try job(id).attempt == 2)
        mayEnd.signal()
    }

    @Test func `cleaning is due once an hour, and removes what is old`() throws {
        try sql("INSERT INTO job (kind, state, finished_at) VALUES ('clean', 'completed', \(PGTimestamp(seconds: 1_000_000_000)))")
        try sql(
            """
            INSERT INTO event_key (dataset_group_id, hash, received_on) VALUES
                (1, gen_random_uuid(), (\(clock.now)::timestamptz - interval '10 days')::date),
                (1, gen_random_uuid(), (\(clock.now)::timestamptz - interval '8 days')::date)
            """)
        try environment.scheduleDueWork()
        let worker = JobWorker(environment)
        #expect(worker.runAvailable() == 1)
        try environment.scheduleDueWork()
        #expect(worker.runAvailable() == 0)
        clock.advance(seconds: 3601)
        try environment.scheduleDueWork()
        #expect(worker.runAvailable() == 1)
        let counts = try environment.read { connection in
            try connection.query("SELECT (SELECT count(*) FROM event_key), (SELECT count(*) FROM job WHERE finished_at < '2010-01-01')")
                .map { [try $0.int64(0), try $0.int64(1)] }
        }
        #expect(counts == [[1, 0]])
    }
}
