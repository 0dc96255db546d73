import CCrypto

/// AES-256 in Galois/Counter Mode (NIST SP 800-38D). A sealed message is 12 bytes of nonce, the ciphertext, 16 bytes of tag.
public enum AESGCM {
    public static let keyCount = 32
    static let nonceCount = 12
    static let tagCount = 16

    public enum Failure: Error, Sendable {
        /// The key is not 32 bytes.
        case keyLength
        /// Too short, altered, sealed with another key, or for other associated data.
        case notAuthentic
        /// libcrypto refused; not caused by input.
        case library
    }

    /// Seals under a fresh random nonce. `associatedData` is authenticated but not part of the result.
    public static func seal(_ plaintext: [UInt8], key: [UInt8], associatedData: [UInt8] = []) throws(Failure) -> [UInt8] {
        try seal(plaintext, key: key, nonce: SecureRandom.bytes(nonceCount), associatedData: associatedData)
    }

    static func seal(_ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], associatedData: [UInt8]) throws(Failure) -> [UInt8] {
        let cipher = try Cipher(key: key, nonce: nonce, isSealing: true)
        try cipher.authenticate(associatedData)
        let ciphertext = try cipher.transform(plaintext)
        var tag = [UInt8](repeating: 0, count: tagCount)
        var count: Int32 = 0
        guard EVP_CipherFinal_ex(cipher.context, &tag, &count) == 1,
            EVP_CIPHER_CTX_ctrl(cipher.context, EVP_CTRL_AEAD_GET_TAG, Int32(tagCount), &tag) == 1
        else { throw .library }
        return nonce + ciphertext + tag
    }

    public static func open(_ sealed: [UInt8], key: [UInt8], associatedData: [UInt8] = []) throws(Failure) -> [UInt8] {
        guard sealed.count >= nonceCount + tagCount else { throw .notAuthentic }
        let cipher = try Cipher(key: key, nonce: Array(sealed.prefix(nonceCount)), isSealing: false)
        try cipher.authenticate(associatedData)
        let plaintext = try cipher.transform(Array(sealed.dropFirst(nonceCount).dropLast(tagCount)))
        var tag = Array(sealed.suffix(tagCount))
        var rest = [UInt8](repeating: 0, count: tagCount)
        var count: Int32 = 0
        guard EVP_CIPHER_CTX_ctrl(cipher.context, EVP_CTRL_AEAD_SET_TAG, Int32(tagCount), &tag) == 1 else { throw .library }
        guard EVP_CipherFinal_ex(cipher.context, &rest, &count) == 1 else { throw .notAuthentic }
        return plaintext
    }

    private struct Cipher: ~Copyable {
        let context: OpaquePointer

        init(key: [UInt8], nonce: [UInt8], isSealing: Bool) throws(Failure) {
            context = try Self.makeContext(key: key, nonce: nonce, isSealing: isSealing)
        }

        private static func makeContext(key: [UInt8], nonce: [UInt8], isSealing: Bool) throws(Failure) -> OpaquePointer {
            guard key.count == keyCount, nonce.count == nonceCount else { throw .keyLength }
            guard let context = EVP_CIPHER_CTX_new() else { throw .library }
            guard EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce, isSealing ? 1 : 0) == 1 else {
                EVP_CIPHER_CTX_free(context)
                throw .library
            }
            return context
        }

        deinit {
            EVP_CIPHER_CTX_free(context)
        }

        func authenticate(_ data: [UInt8]) throws(Failure) {
            guard !data.isEmpty else { return }
            var count: Int32 = 0
            guard data.count < Int(Int32.max), EVP_CipherUpdate(context, nil, &count, data, Int32(data.count)) == 1 else {
                throw .library
            }
        }

        func transform(_ input: [UInt8]) throws(Failure) -> [UInt8] {
            guard !input.isEmpty else { return [] }
            guard input.count < Int(Int32.max) else { throw .library }
            var output = [UInt8](repeating: 0, count: input.count)
            var count: Int32 = 0
            guard EVP_CipherUpdate(context, &output, &count, input, Int32(input.count)) == 1, Int(count) == input.count else {
                throw .library
            }
            return output
        }
    }
}
