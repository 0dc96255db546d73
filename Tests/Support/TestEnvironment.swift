import Foundation
import Postgres
import Storage
public import Tastemaker

extension Environment {
    /// An environment on a test database, with a folder of its own, a fixed key and a clock that the test moves.
    public static func test(
        _ database: TestDatabase, clock: TestClock = TestClock(), connections: Int = 4, statementMilliseconds: Int = 30_000
    ) throws -> Environment {
        var connection = database.settings
        connection.statementTimeoutMilliseconds = statementMilliseconds
        let folder = try TestFolder.make("environment")
        try FileManager.default.createDirectory(atPath: folder + "/uploads", withIntermediateDirectories: true)
        return Environment(
            database: Pool(connection, limit: connections),
            installation: Installation(accountID: "123456789012", region: "us-east-1"),
            sealer: Sealer(key: Array(repeating: 42, count: 32)), artifacts: try FolderStore(path: folder),
            settings: Settings(publicURL: "http://127.0.0.1:8080", uploadFolder: folder + "/uploads"), now: { clock.now })
    }
}
