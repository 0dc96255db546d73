public import Postgres

/// A person who signs in to the console.
public struct Account: Sendable, Equatable {
    public let id: Int32
    public let login: String
    public let role: Role
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp
    public let disabledAt: PGTimestamp?
    /// A one-time secret was made and not used yet; it ends then.
    public let oneTimeExpiresAt: PGTimestamp?
    public let hasPassword: Bool

    public var isActive: Bool { disabledAt == nil }
}

/// A secret that signs in until a password is set, for a day at most, and forces a new password. Shown where it is made and kept nowhere.
public struct OneTimeSecret: Sendable {
    public let account: Account
    public let secret: String

    static let hours = 24
}

/// A signed-in browser.
public struct Session: Sendable, Equatable {
    public let accountID: Int32
    public let login: String
    public let role: Role
    /// Signed in with a one-time secret: nothing but setting a password is allowed.
    public let mustChangePassword: Bool
    /// The group that the person last worked in. A hint, not a right.
    public let datasetGroupID: Int32?

    /// Ended by so long without a request.
    static let idleSeconds: Int64 = 12 * 3600
    /// Ended by so long after signing in, whatever was done.
    static let totalSeconds: Int64 = 7 * 86_400
}

/// What came of an attempt to sign in. A wrong login and a wrong password are one case on purpose.
public enum SignInOutcome: Sendable {
    /// `token` goes into the browser's cookie; only its hash is stored.
    case signedIn(token: String, Session)
    case refused
    /// Too many failures for this account or from this address.
    case limited(retryAfterSeconds: Int)
}

extension PGTimestamp {
    func adding(seconds: Int64) -> PGTimestamp { PGTimestamp(microseconds: microseconds + seconds * 1_000_000) }
}
