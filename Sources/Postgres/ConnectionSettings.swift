/// Where the server is and how a connection behaves.
///
/// `url` is a `postgresql://` URL or a `key=value` string as libpq reads it (its environment variables and password file
/// count too); the other fields win over it.
public struct ConnectionSettings: Sendable {
    public var url: String
    /// Host name, address, or the folder of a unix socket.
    public var host: String?
    public var port: Int?
    public var user: String?
    public var password: String?
    public var database: String?

    public var applicationName = "tastemaker"
    /// Schemas searched for unqualified names; empty keeps the server's setting.
    public var searchPath = "tastemaker"
    public var connectTimeoutMilliseconds = 5_000
    /// Server-side limit of each statement; 0 for none. The client gives up `graceMilliseconds` later, for a server that hangs.
    public var statementTimeoutMilliseconds = 30_000
    /// Server-side limit of waiting for one lock; 0 for none.
    public var lockTimeoutMilliseconds = 0
    /// Server-side limit of an open transaction that does nothing; 0 for none.
    public var idleInTransactionTimeoutMilliseconds = 60_000
    public var graceMilliseconds = 3_000
    /// Off when a pooler that does not keep prepared statements stands between.
    public var usesPreparedStatements = true
    /// Prepared statements kept per connection; the least recently used one goes first.
    public var preparedStatementLimit = 200
    /// Statements run on every new connection, such as `SET ROLE tastemaker_app`.
    public var onConnect: [SQL] = []

    public init(url: String = "") {
        self.url = url
    }

    public init(host: String, port: Int? = nil, user: String? = nil, password: String? = nil, database: String) {
        url = ""
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.database = database
    }

    /// The same server, another database.
    public func with(database: String) -> ConnectionSettings {
        var copy = self
        copy.database = database
        return copy
    }

    /// Keywords and values in libpq's order: what stands later wins.
    var parameters: [(keyword: String, value: String)] {
        var list = [
            ("keepalives", "1"), ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "30000"),
        ]
        if !url.isEmpty { list.append(("dbname", url)) }
        let overrides: [(String, String?)] = [
            ("host", host), ("port", port.map(String.init)), ("user", user), ("password", password), ("dbname", database),
        ]
        for (keyword, value) in overrides {
            if let value { list.append((keyword, value)) }
        }
        list.append(("application_name", applicationName))
        list.append(("client_encoding", "UTF8"))
        return list
    }
}
