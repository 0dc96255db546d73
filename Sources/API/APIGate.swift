import Tastemaker
import Web

/// Judges a request for the route that it matched, and notes who asks.
final class APIGate: Sendable {
    private let signatures = SigV4()
    private let accessKeys = KeptValues<AccessKeyWithSecret>(lifetime: 5)
    private let apiKeys = KeptValues<APIKey>(lifetime: 5)
    /// Seconds between two notes of a key's use; their only reader is a column of the console.
    private static let noteInterval = 60.0
    /// Wrong signatures of a known key that are written into the audit: a few, not a flood.
    private let auditLimiter = RateLimiter(rate: 0.1, burst: 10, maximumKeys: 1000)

    func judge(_ context: inout APIContext, _ request: Request, _ route: APIRoute) throws -> Response? {
        context.caller = nil
        switch route.access {
        case .aws: context.caller = try signedCaller(context.environment, request)
        case .apiKey(let scope): context.caller = try keyCaller(context.environment, request, scope: scope)
        case .trackerOrKey(let scope):
            if request.header("Authorization") != nil { context.caller = try keyCaller(context.environment, request, scope: scope) }
        case .loopbackOrKey(let scope):
            if request.header("Authorization") != nil || !isLoopback(request.remoteAddress) {
                context.caller = try keyCaller(context.environment, request, scope: scope)
            } else {
                context.caller = Caller(.system, requestID: request.requestID)
            }
        case .tracker, .open: break
        }
        return nil
    }

    /// The owner of the key that signed, with the region of the signature's scope.
    private func signedCaller(_ environment: Environment, _ request: Request) throws -> Caller {
        var key: AccessKey?
        var failure: OperationError?
        do throws(SigV4Error) {
            let verified = try signatures.verify(request, now: Int(environment.now().epochSeconds)) { id in
                do throws(OperationError) {
                    let found = try accessKeys.find(id, now: environment.now()) { wait throws(OperationError) in
                        try environment.openAccessKey(id: id, waitMilliseconds: wait)
                    }
                    guard let found else { return nil }
                    key = found.key
                    return SigV4.SigningKeySource(secretID: Array(id.utf8), secret: found.secret)
                } catch {
                    failure = error
                    return nil
                }
            }
            if accessKeys.isDue(verified.accessKeyID, every: Self.noteInterval, now: environment.now()) {
                try? environment.touchAccessKey(id: verified.accessKeyID)
            }
            return Caller(
                .accessKey(id: verified.accessKeyID), datasetGroupID: key?.datasetGroupID, region: verified.region,
                requestID: request.requestID)
        } catch {
            if let failure { throw failure }
            if let key { noteRefusal(error, key: key, environment, request) }
            throw error
        }
    }

    private func noteRefusal(_ error: SigV4Error, key: AccessKey, _ environment: Environment, _ request: Request) {
        guard auditLimiter.take(key.id) == nil else { return }
        let caller = Caller(.accessKey(id: key.id), datasetGroupID: key.datasetGroupID, requestID: request.requestID)
        let action =
            request.header("X-Amz-Target").flatMap { $0.split(separator: ".").last.map { String($0.prefix(64)) } } ?? "SignedRequest"
        try? environment.auditDenied(caller, action, resource: nil, datasetGroupID: key.datasetGroupID, errorCode: error.code)
    }

    /// The owner of the bearer key of our own.
    private func keyCaller(_ environment: Environment, _ request: Request, scope: String) throws -> Caller {
        guard let header = request.header("Authorization"), header.utf8.starts(with: "Bearer ".utf8),
            let found = try apiKey(String(header.dropFirst(7)), environment)
        else {
            throw HTTPError(.unauthorized, code: "Unauthorized", message: "Send an API key as 'Authorization: Bearer <key>'.")
        }
        let caller = Caller(
            .apiKey(id: Int(found.id), name: found.name), datasetGroupID: found.datasetGroupID, requestID: request.requestID)
        guard found.scopes.contains(scope) else {
            try? environment.auditDenied(
                caller, String(decoding: request.rawPath.prefix(200), as: UTF8.self), resource: nil, datasetGroupID: found.datasetGroupID,
                errorCode: "AccessDeniedException")
            throw OperationError.accessDenied("This API key lacks the scope '\(scope)'.")
        }
        return caller
    }

    private func apiKey(_ secret: String, _ environment: Environment) throws -> APIKey? {
        guard APIKey.hasForm(secret) else { return nil }
        let now = environment.now()
        let found = try apiKeys.find(secret, now: now) { wait throws(OperationError) in
            try environment.openAPIKey(secret, waitMilliseconds: wait)
        }
        if let found, apiKeys.isDue(secret, every: Self.noteInterval, now: now) { try? environment.touchAPIKey(id: found.id) }
        return found
    }

    private func isLoopback(_ address: String) -> Bool {
        address == "::1" || address.utf8.starts(with: "127.".utf8) || address.utf8.starts(with: "::ffff:127.".utf8)
    }
}
