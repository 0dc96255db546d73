import Foundation
import Postgres
import Support
import Synchronization
import Testing

struct PoolTests {
    @Test func `a full pool says so when the time is up`() throws {
        let database = try TestDatabase.makeEmpty()
        let pool = Pool(database.settings, limit: 1)
        try pool.withConnection { _ in
            #expect(pool.statistics.inUse == 1)
            let error = #expect(throws: PostgresError.self) {
                try pool.withConnection(timeoutMilliseconds: 20) { (connection) throws(PostgresError) in try connection.execute("SELECT 1")
                }
            }
            #expect(error?.isPoolTimeout == true)
        }
        #expect(pool.statistics.inUse == 0)
        #expect(pool.statistics.idle == 1)
    }

    @Test func `many threads share few connections`() throws {
        let database = try TestDatabase.makeEmpty()
        let pool = Pool(database.settings, limit: 3)
        let processes = Mutex(Set<Int>())
        let failures = Mutex(0)
        let (threads, rounds) = (12, 40)
        let group = DispatchGroup()
        for _ in 0..<threads {
            group.enter()
            Thread.detachNewThread {
                for _ in 0..<rounds {
                    do {
                        let process = try pool.withConnection { connection in try connection.query("SELECT pg_backend_pid()")[0].int(0) }
                        processes.withLock { _ = $0.insert(process) }
                    } catch {
                        failures.withLock { $0 += 1 }
                    }
                }
                group.leave()
            }
        }
        #expect(group.wait(timeout: .now() + 30) == .success)
        #expect(failures.withLock { $0 } == 0)
        #expect(processes.withLock { $0.count } <= 3)
        #expect(pool.statistics.inUse == 0)
    }

    @Test func `a connection left in a transaction is not lent again`() throws {
        let database = try TestDatabase.makeEmpty()
        let pool = Pool(database.settings, limit: 1)
        try pool.withConnection { connection in try connection.executeScript("BEGIN") }
        #expect(pool.statistics.idle == 0)
        let value = try pool.withConnection { connection in try connection.query("SELECT 1")[0].int(0) }
        #expect(value == 1)
    }

    @Test func `a restarted server is found again`() throws {
        let cluster = try TestCluster()
        let pool = Pool(cluster.settings, limit: 2, timeoutMilliseconds: 20_000)
        let before = try pool.withConnection { connection in try connection.query("SELECT pg_backend_pid()")[0].int(0) }
        try cluster.control("restart", "-m", "immediate")
        let after = try pool.withConnection { connection in try connection.query("SELECT pg_backend_pid()")[0].int(0) }
        #expect(before != after)
        try cluster.control("stop", "-m", "immediate")
        let away = #expect(throws: PostgresError.self) {
            try pool.withConnection(timeoutMilliseconds: 200) { (connection) throws(PostgresError) in try connection.execute("SELECT 1") }
        }
        #expect(away?.isUnavailable == true)
        #expect(pool.statistics.failures > 0)
        try cluster.control("start")
        try pool.withConnection { connection in _ = try connection.query("SELECT 1") }
        #expect(pool.statistics.failures == 0)
        #expect(pool.statistics.inUse == 0)
    }

    @Test func `a write cut off by the server has an unknown outcome`() throws {
        let cluster = try TestCluster()
        let connection = try Connection(cluster.settings)
        let stopper = try Connection(cluster.settings)
        let process = try connection.query("SELECT pg_backend_pid()")[0].int32(0)
        let error = #expect(throws: PostgresError.self) {
            try connection.transaction { (connection) throws(PostgresError) in
                try stopper.execute("SELECT pg_terminate_backend(\(process), 5000)")
            }
        }
        #expect(error?.isConnectionLost == true)
        #expect(error?.outcomeUnknown == true)
        #expect(!connection.isUsable)
    }
}
