import Crypto

/// How a site vouches for a user's id in a browser: lower-case hexadecimal HMAC-SHA256 of the id's UTF-8 under the tracker's secret.
public enum UserSignature {
    public static func sign(_ userID: String, secret: [UInt8]) -> String {
        Hex.encode(HMACSHA256.authenticate(userID, key: secret))
    }

    public static func isValid(_ signature: String, for userID: String, secret: [UInt8]) -> Bool {
        guard signature.utf8.count == 64, let code = Hex.decode(signature) else { return false }
        return HMACSHA256.isValid(code, for: Array(userID.utf8), key: secret)
    }
}
