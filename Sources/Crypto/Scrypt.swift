import CCrypto

/// Password hashing with scrypt (RFC 7914). A stored hash is one text, `scrypt$N$r$p$salt$hash`, salt and hash in
/// base64 for URLs, so that the cost can rise without a migration.
public enum Scrypt {
    /// What a hash costs: 128 × N × r bytes of memory, `p` times over.
    public struct Cost: Sendable, Equatable {
        /// A power of two from 2 to 2²⁰.
        public var iterations: Int
        public var blockSize: Int
        public var parallelism: Int

        public init(iterations: Int, blockSize: Int, parallelism: Int) {
            self.iterations = iterations
            self.blockSize = blockSize
            self.parallelism = parallelism
        }

        /// 32 MB and about 80 ms of one core.
        public static let interactive = Cost(iterations: 1 << 15, blockSize: 8, parallelism: 1)

        /// Bounds a stored hash, so that an altered row cannot ask for all memory.
        var isAcceptable: Bool {
            (2...1 << 20).contains(iterations) && iterations & (iterations - 1) == 0
                && (1...32).contains(blockSize) && (1...16).contains(parallelism)
                && iterations * blockSize <= 1 << 21
        }
    }

    /// Longest password that is hashed, in UTF-8 bytes.
    public static let passwordLimit = 1024

    /// Nil when the password is longer than `passwordLimit` or the memory cannot be had.
    public static func hash(_ password: String, cost: Cost = .interactive) -> String? {
        let salt = SecureRandom.bytes(16)
        guard let key = derive(password, salt: salt, cost: cost, count: 32) else { return nil }
        return "scrypt$\(cost.iterations)$\(cost.blockSize)$\(cost.parallelism)$\(Base64.encodeURL(salt))$\(Base64.encodeURL(key))"
    }

    /// False for a wrong password, and for a stored text that is no scrypt hash.
    public static func verify(_ password: String, against stored: String) -> Bool {
        guard let (cost, salt, expected) = parse(stored),
            let key = derive(password, salt: salt, cost: cost, count: expected.count)
        else { return false }
        return ConstantTime.equal(key, expected)
    }

    /// Whether a stored hash was made with another cost than `cost` and should be made anew at the next login.
    public static func needsRehash(_ stored: String, cost: Cost = .interactive) -> Bool {
        parse(stored)?.0 != cost
    }

    static func derive(_ password: String, salt: [UInt8], cost: Cost, count: Int) -> [UInt8]? {
        guard cost.isAcceptable, password.utf8.count <= passwordLimit else { return nil }
        var key = [UInt8](repeating: 0, count: count)
        let secret = password.utf8.map { CChar(bitPattern: $0) }
        let memory = UInt64(128 * cost.blockSize * (cost.iterations + cost.parallelism + 2)) + 1 << 20
        let result = EVP_PBE_scrypt(
            secret, secret.count, salt, salt.count, UInt64(cost.iterations), UInt64(cost.blockSize), UInt64(cost.parallelism),
            memory, &key, count)
        return result == 1 ? key : nil
    }

    private static func parse(_ stored: String) -> (Cost, salt: [UInt8], hash: [UInt8])? {
        let parts = stored.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "scrypt",
            let iterations = Int(parts[1]), let blockSize = Int(parts[2]), let parallelism = Int(parts[3]),
            let salt = Base64.decodeURL(String(parts[4])), let hash = Base64.decodeURL(String(parts[5])),
            (16...64).contains(hash.count)
        else { return nil }
        return (Cost(iterations: iterations, blockSize: blockSize, parallelism: parallelism), salt, hash)
    }
}
