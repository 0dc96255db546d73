import Foundation
import Postgres
import Storage
import Tastemaker

extension Environment {
    /// The environment of one process, from settings that `up` or the operator resolved.
    /// - Parameter connections: bound of the process's pool.
    static func open(_ launch: LaunchSettings, connections: Int) throws -> Environment {
        guard let url = launch.databaseURL else {
            throw Failure("There is no DATABASE_URL: start the product with `tastemaker up`, or set it.")
        }
        let path = launch.dataFolder + "/secret.key"
        guard let key = FileManager.default.contents(atPath: path), key.count == 32 else {
            throw Failure("\(path) is missing or damaged: put back its copy from your backup.")
        }
        let sealer = Sealer(key: Array(key))
        var connection = ConnectionSettings(url: url)
        connection.onConnect = try Environment.appRole(url)
        let pool = Pool(connection, limit: connections)
        do {
            let installation = try pool.withConnection { connection in
                try Installation.load(connection, sealer: sealer) ?? Installation.create(connection, sealer: sealer)
            }
            return Environment(
                database: pool, installation: installation, sealer: sealer, artifacts: try FolderStore(path: launch.dataFolder),
                settings: launch.core)
        } catch let error as InstallationError { throw Failure(error.message) }
    }

    /// Programs run as `tastemaker_app` where the login is a member of it, so that they cannot change tables or the audit.
    private static func appRole(_ url: String) throws -> [SQL] {
        let connection = try Connection(ConnectionSettings(url: url))
        defer { connection.close() }
        let rows = try connection.query(
            """
            SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tastemaker_app') AND current_user <> 'tastemaker_app'
               AND pg_has_role(current_user, (SELECT oid FROM pg_roles WHERE rolname = 'tastemaker_app'), 'MEMBER')
            """)
        return try rows.first?.optionalBool(0) == true ? ["SET ROLE tastemaker_app"] : []
    }
}

extension LaunchSettings {
    /// The bucket of the data that ships with the program, for a first try.
    private static let exampleBucket = "tastemaker-example"

    /// What operations need of the settings.
    var core: Settings {
        Settings(
            publicURL: publicURL, s3Endpoint: s3Endpoint, s3AccessKey: s3AccessKey, s3SecretKey: s3SecretKey,
            bucketFolders: bucketFolders.merging([Self.exampleBucket: resources + "/docs/example"]) { given, _ in given },
            uploadFolder: dataFolder + "/uploads", trainingThreads: trainingThreads, trainingMemoryBytes: trainingMemoryMegabytes << 20,
            freeSpaceFloorBytes: freeSpaceFloorMegabytes << 20)
    }
}
