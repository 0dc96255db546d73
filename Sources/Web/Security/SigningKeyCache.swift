import Crypto
import Locks

/// Derived signing keys by secret, date, region and service. Bounded: when full it starts anew, as a day's keys are few.
final class SigningKeyCache: Sendable {
    private struct Name: Hashable {
        var secretID: [UInt8]
        var scope: [UInt8]
    }

    private let limit: Int
    private let keys = Lock<[Name: HMACSHA256]>([:])

    init(limit: Int) {
        self.limit = limit
    }

    /// `scope` is date/region/service.
    func key(secretID: [UInt8], secret: [UInt8], date: [UInt8], region: [UInt8], service: [UInt8]) -> HMACSHA256 {
        let name = Name(secretID: secretID, scope: date + [0x2F] + region + [0x2F] + service)
        if let known = keys.withLock({ $0[name] }) { return known }
        let derived = Self.derive(secret: secret, date: date, region: region, service: service)
        keys.withLock { keys in
            if keys.count >= limit { keys.removeAll(keepingCapacity: true) }
            keys[name] = derived
        }
        return derived
    }

    static func derive(secret: [UInt8], date: [UInt8], region: [UInt8], service: [UInt8]) -> HMACSHA256 {
        var key = HMACSHA256.authenticate(date, key: Array("AWS4".utf8) + secret)
        key = HMACSHA256.authenticate(region, key: key)
        key = HMACSHA256.authenticate(service, key: key)
        return HMACSHA256(key: HMACSHA256.authenticate("aws4_request", key: key))
    }
}
