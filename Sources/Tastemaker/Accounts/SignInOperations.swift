import Crypto
import Postgres

extension Environment {
    private static let failureWindow: Int64 = 15 * 60
    private static let failuresPerAccount = 10
    private static let failuresPerAddress = 50
    /// Checked for an unknown login, so that its refusal costs as much as a wrong password's.
    private static let nobody = Scrypt.hash("nobody's password") ?? ""

    /// Signs in by password, or by a one-time secret, which is good until a password is set: who closes the page before comes in again.
    /// `address` is only used as a keyed hash.
    public func signIn(login: String, password: String, address: String, requestID: String? = nil) throws(OperationError) -> SignInOutcome {
        let subjects = [failureSubject("account", login), failureSubject("address", address)]
        let attempt = now()
        if let wait = try reserve(subjects, at: attempt) { return .limited(retryAfterSeconds: wait) }
        let found = try read { try AccountQueries.credentials(login: login, $0) }
        let isPassword = Scrypt.verify(password, against: found?.passwordHash ?? Environment.nobody) && found?.passwordHash != nil
        let oneTimeHash = SHA256.hash(password)
        let isOneTime = ConstantTime.equal(found?.oneTimeHash ?? [], oneTimeHash)
        guard let account = found?.account, account.isActive, isPassword || isOneTime else {
            try auditDenied(
                Caller(.account(login: String(login.prefix(100)), role: .readOnly), requestID: requestID), "SignIn", resource: nil,
                errorCode: "AccessDenied")
            return .refused
        }
        return try change { connection in
            if isOneTime, try !AccountQueries.lockOneTimeHash(oneTimeHash, of: account.id, at: now(), connection) { return .refused }
            try SessionQueries.forgive(subjects[0], at: nil, connection)
            try SessionQueries.forgive(subjects[1], at: attempt, connection)
            let caller = Caller(.account(login: account.login, role: account.role), requestID: requestID)
            try audit(connection, caller, "SignIn", resource: "account/\(account.login)")
            return try open(account, mustChange: isOneTime, connection)
        }
    }

    /// The account that a one-time link is for; nil when the link was used, replaced, or is a day old. Uses nothing up.
    public func accountOfOneTimeSecret(_ secret: String) throws(OperationError) -> Account? {
        let found = try read { try AccountQueries.credentials(oneTimeHash: SHA256.hash(secret), $0) }
        guard let account = found?.account, account.isActive, let until = account.oneTimeExpiresAt, until > now() else { return nil }
        return account
    }

    /// Sets a password by a one-time link and signs in. Nil when the link is no longer good.
    public func redeemOneTimeSecret(
        _ secret: String, newPassword: String, requestID: String? = nil
    ) throws(OperationError) -> (token: String, session: Session)? {
        guard let account = try accountOfOneTimeSecret(secret) else { return nil }
        let hash = try passwordHash(newPassword, login: account.login)
        return try change { connection in
            guard try AccountQueries.useOneTimeHash(SHA256.hash(secret), of: account.id, at: now(), connection) else { return nil }
            return try replacePassword(hash, of: account, requestID: requestID, connection)
        }
    }

    /// Sets a new password. `current` is needed unless the session was opened by a one-time secret. Ends all of the account's
    /// sessions and answers a new one.
    public func changePassword(
        of session: Session, current: String?, newPassword: String, requestID: String? = nil
    ) throws(OperationError) -> (token: String, session: Session) {
        let found = try read { try AccountQueries.credentials(id: session.accountID, $0) }
        guard let found, found.account.isActive else { throw .accessDenied("The account is disabled.") }
        if !session.mustChangePassword {
            guard let current, let stored = found.passwordHash, Scrypt.verify(current, against: stored) else {
                throw .invalidInput("This is not the current password.", field: "current")
            }
        }
        let hash = try passwordHash(newPassword, login: session.login)
        return try change { try replacePassword(hash, of: found.account, requestID: requestID, $0) }
    }

    /// The live session of a cookie's token; nil when there is none, it ended, or the account was disabled.
    public func session(token: String) throws(OperationError) -> Session? {
        guard token.utf8.count == Environment.sessionTokenLength else { return nil }
        let hash = SHA256.hash(token)
        return try read { connection in
            let now = now()
            guard let found = try SessionQueries.find(hash, at: now, connection) else { return nil }
            if found.seenAt < now.adding(seconds: -60) { try SessionQueries.touch(hash, at: now, connection) }
            return found.session
        }
    }

    /// Notes the group that the person works in.
    public func rememberDatasetGroup(_ id: Int32, sessionToken: String) throws(OperationError) {
        try read { try SessionQueries.setGroup(SHA256.hash(sessionToken), id, $0) }
    }

    public func signOut(token: String) throws(OperationError) {
        try change { try SessionQueries.delete(SHA256.hash(token), $0) }
    }

    static let sessionTokenLength = 43

    private func failureSubject(_ kind: String, _ value: String) -> [UInt8] {
        HMACSHA256.authenticate("\(kind):\(value)", key: sealer.derivedKey("sign-in-failure"))
    }

    /// Counts the attempt as failed before it is checked, so that guesses in parallel cannot pass the limit. Seconds to wait when there
    /// were too many.
    private func reserve(_ subjects: [[UInt8]], at attempt: PGTimestamp) throws(OperationError) -> Int? {
        try change { connection in
            let limits = [Environment.failuresPerAccount, Environment.failuresPerAddress]
            // In one order, so that two attempts cannot wait for each other.
            for subject in subjects.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                try SessionQueries.lockFailures(subject, connection)
            }
            for (subject, limit) in zip(subjects, limits) {
                let since = attempt.adding(seconds: -Environment.failureWindow)
                guard let failures = try SessionQueries.failures(subject, since: since, connection), failures.count >= limit else {
                    continue
                }
                let wait = failures.oldest.seconds + Double(Environment.failureWindow) - attempt.seconds
                return max(1, Int(wait.rounded(.up)))
            }
            for subject in subjects { try SessionQueries.addFailure(subject, at: attempt, connection) }
            return nil
        }
    }

    private func open(_ account: Account, mustChange: Bool, _ connection: Connection) throws -> SignInOutcome {
        let token = SecureRandom.token(.base64URL, length: Environment.sessionTokenLength)
        try SessionQueries.insert(tokenHash: SHA256.hash(token), account: account.id, mustChange: mustChange, at: now(), connection)
        return .signedIn(
            token: token,
            Session(
                accountID: account.id, login: account.login, role: account.role, mustChangePassword: mustChange, datasetGroupID: nil))
    }

    private func replacePassword(
        _ hash: String, of account: Account, requestID: String?, _ connection: Connection
    ) throws -> (token: String, session: Session) {
        try AccountQueries.setPassword(hash, of: account.id, at: now(), connection)
        try SessionQueries.deleteAll(of: account.id, connection)
        let caller = Caller(.account(login: account.login, role: account.role), requestID: requestID)
        try audit(connection, caller, "ChangePassword", resource: "account/\(account.login)")
        guard case .signedIn(let token, let session) = try open(account, mustChange: false, connection) else {
            throw OperationError.unavailable("The session could not be opened.")
        }
        return (token, session)
    }

    private func passwordHash(_ password: String, login: String) throws(OperationError) -> String {
        guard password.unicodeScalars.count >= 12 else {
            throw .invalidInput("A password has at least 12 characters. A few words in a row are easy to keep in mind.", field: "password")
        }
        guard Set(password.unicodeScalars).count >= 5 else {
            throw .invalidInput("A password has at least 5 different characters.", field: "password")
        }
        guard password.utf8.count <= Scrypt.passwordLimit else {
            throw .invalidInput("A password has at most \(Scrypt.passwordLimit) bytes.", field: "password")
        }
        guard password.lowercased() != login.lowercased() else { throw .invalidInput("The password is the login.", field: "password") }
        guard let hash = Scrypt.hash(password) else { throw .unavailable("The password could not be hashed: there is no memory.") }
        return hash
    }
}
