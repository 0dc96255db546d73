import Crypto
import JSON
import Postgres

extension Environment {
    /// Makes an account that is entered by a one-time secret. `login`: 1 to 100 characters without white space.
    public func createAccount(login: String, role: Role, by caller: Caller) throws(OperationError) -> OneTimeSecret {
        try Check.length(login, 1...100, field: "login")
        guard !login.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0.value < 0x20 }) else {
            throw .invalidInput("A login has no white space.", field: "login")
        }
        return try change { connection in
            guard let account = try AccountQueries.insert(login: login, role: role, at: now(), connection) else {
                throw OperationError.alreadyExists("An account named \(login) already exists.")
            }
            try audit(connection, caller, "CreateAccount", resource: "account/\(login)", parameters: ["role": .string(role.rawValue)])
            return try newSecret(of: account.id, connection)
        }
    }

    /// Ends password and sessions of an account and makes a one-time secret.
    public func resetAccount(id: Int32, by caller: Caller) throws(OperationError) -> OneTimeSecret {
        try change { connection in
            let account = try account(id: id, connection)
            guard account.isActive else { throw OperationError.inUse("The account \(account.login) is disabled. Enable it first.") }
            try SessionQueries.deleteAll(of: id, connection)
            try audit(connection, caller, "ResetAccount", resource: "account/\(account.login)")
            return try newSecret(of: id, connection)
        }
    }

    /// Active ones first, by login.
    public func listAccounts(by caller: Caller) throws(OperationError) -> [Account] {
        try read { try AccountQueries.list($0) }
    }

    public func describeAccount(login: String, by caller: Caller) throws(OperationError) -> Account {
        try read { connection in
            guard let account = try AccountQueries.find(login: login, connection) else {
                throw OperationError.notFound("There is no account named \(login).")
            }
            return account
        }
    }

    /// Ends the account's sessions too. The last active admin stays.
    public func disableAccount(id: Int32, by caller: Caller) throws(OperationError) {
        try change { connection in
            let account = try account(id: id, connection)
            try keepAnAdmin(without: account, connection)
            try AccountQueries.setDisabled(true, id, at: now(), connection)
            try SessionQueries.deleteAll(of: id, connection)
            try audit(connection, caller, "DisableAccount", resource: "account/\(account.login)")
        }
    }

    public func enableAccount(id: Int32, by caller: Caller) throws(OperationError) {
        try change { connection in
            let account = try account(id: id, connection)
            try AccountQueries.setDisabled(false, id, at: now(), connection)
            try audit(connection, caller, "EnableAccount", resource: "account/\(account.login)")
        }
    }

    /// Acts on the account's next request.
    public func updateAccountRole(id: Int32, role: Role, by caller: Caller) throws(OperationError) {
        try change { connection in
            let account = try account(id: id, connection)
            if role != .admin { try keepAnAdmin(without: account, connection) }
            try AccountQueries.setRole(role, of: id, at: now(), connection)
            try audit(
                connection, caller, "UpdateAccountRole", resource: "account/\(account.login)",
                parameters: ["from": .string(account.role.rawValue), "to": .string(role.rawValue)])
        }
    }

    private func account(id: Int32, _ connection: Connection) throws -> Account {
        guard let account = try AccountQueries.find(id: id, connection) else { throw OperationError.notFound("There is no such account.") }
        return account
    }

    private func keepAnAdmin(without account: Account, _ connection: Connection) throws {
        let admins = try AccountQueries.activeAdmins(connection)
        if admins == [account.id] { throw OperationError.inUse("\(account.login) is the last active admin.") }
    }

    private func newSecret(of id: Int32, _ connection: Connection) throws -> OneTimeSecret {
        let secret = SecureRandom.token(.base32, length: 24)
        try AccountQueries.setOneTimeHash(
            SHA256.hash(secret), until: now().adding(seconds: Int64(OneTimeSecret.hours) * 3600), of: id, at: now(), connection)
        return OneTimeSecret(account: try account(id: id, connection), secret: secret)
    }
}
