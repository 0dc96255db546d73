import Testing

@testable import Crypto

struct SecretTests {
    struct Vector: Sendable {
        var key: String
        var nonce: String
        var plaintext: String
        var associatedData: String
        var ciphertext: String
        var tag: String
    }

    /// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13 to 16 (256-bit key).
    @Test(arguments: [
        Vector(
            key: String(repeating: "0", count: 64), nonce: String(repeating: "0", count: 24), plaintext: "", associatedData: "",
            ciphertext: "", tag: "530f8afbc74536b9a963b4f1c4cb738b"),
        Vector(
            key: String(repeating: "0", count: 64), nonce: String(repeating: "0", count: 24),
            plaintext: String(repeating: "0", count: 32), associatedData: "",
            ciphertext: "cea7403d4d606b6e074ec5d3baf39d18", tag: "d0d1c8a799996bf0265b98b5d48ab919"),
        Vector(
            key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", nonce: "cafebabefacedbaddecaf888",
            plaintext: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
            associatedData: "",
            ciphertext: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
            tag: "b094dac5d93471bdec1a502270e3cc6c"),
        Vector(
            key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", nonce: "cafebabefacedbaddecaf888",
            plaintext: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            associatedData: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            ciphertext: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            tag: "76fc6ece0f4e1768cddf8853bb2d551b"),
    ])
    func `AES-GCM gives the published ciphertexts and tags`(vector: Vector) throws {
        let key = try #require(Hex.decode(vector.key))
        let nonce = try #require(Hex.decode(vector.nonce))
        let plaintext = try #require(Hex.decode(vector.plaintext))
        let associatedData = try #require(Hex.decode(vector.associatedData))
        let sealed = try AESGCM.seal(plaintext, key: key, nonce: nonce, associatedData: associatedData)
        #expect(Hex.encode(sealed) == vector.nonce + vector.ciphertext + vector.tag)
        #expect(try AESGCM.open(sealed, key: key, associatedData: associatedData) == plaintext)
    }

    @Test func `a sealed message with any byte changed is refused`() throws {
        let key = SecureRandom.bytes(32)
        let sealed = try AESGCM.seal(Array("secret".utf8), key: key, associatedData: [7])
        for index in sealed.indices {
            var altered = sealed
            altered[index] ^= 0x80
            #expect(throws: AESGCM.Failure.notAuthentic) { try AESGCM.open(altered, key: key, associatedData: [7]) }
        }
    }

    @Test func `a sealed message is refused with other associated data, another key, or cut short`() throws {
        let key = SecureRandom.bytes(32)
        let sealed = try AESGCM.seal([1, 2, 3], key: key, associatedData: [7])
        #expect(throws: AESGCM.Failure.notAuthentic) { try AESGCM.open(sealed, key: key, associatedData: [8]) }
        #expect(throws: AESGCM.Failure.notAuthentic) { try AESGCM.open(sealed, key: SecureRandom.bytes(32), associatedData: [7]) }
        #expect(throws: AESGCM.Failure.notAuthentic) { try AESGCM.open(Array(sealed.prefix(20)), key: key, associatedData: [7]) }
        #expect(throws: AESGCM.Failure.keyLength) { try AESGCM.open(sealed, key: [1], associatedData: [7]) }
    }

    @Test func `the same plaintext is never sealed alike`() throws {
        let key = SecureRandom.bytes(32)
        #expect(try AESGCM.seal([1], key: key) != AESGCM.seal([1], key: key))
    }

    /// RFC 7914, section 12.
    @Test func `scrypt gives the keys of RFC 7914`() {
        let first = Scrypt.derive(
            "password", salt: Array("NaCl".utf8), cost: .init(iterations: 1024, blockSize: 8, parallelism: 16), count: 64)
        #expect(
            Hex.encode(first ?? [])
                == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640")
        let second = Scrypt.derive(
            "pleaseletmein", salt: Array("SodiumChloride".utf8), cost: .init(iterations: 16384, blockSize: 8, parallelism: 1), count: 64)
        #expect(
            Hex.encode(second ?? [])
                == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887")
    }

    static let cheap = Scrypt.Cost(iterations: 16, blockSize: 8, parallelism: 1)

    @Test func `a password verifies against its own hash only`() throws {
        let stored = try #require(Scrypt.hash("correct horse", cost: Self.cheap))
        #expect(stored.hasPrefix("scrypt$16$8$1$"))
        #expect(Scrypt.verify("correct horse", against: stored))
        #expect(!Scrypt.verify("correct horsf", against: stored))
        #expect(!Scrypt.verify("", against: stored))
    }

    @Test(arguments: [
        "", "scrypt", "scrypt$16$8$1$$", "scrypt$1073741824$8$1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "scrypt$17$8$1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA", "bcrypt$16$8$1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "scrypt$16$-8$1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
    ])
    func `a stored text that is no acceptable hash verifies nothing`(stored: String) {
        #expect(!Scrypt.verify("", against: stored))
    }

    @Test func `a password over the limit is refused and a raised cost asks for a new hash`() throws {
        #expect(Scrypt.hash(String(repeating: "x", count: 1025), cost: Self.cheap) == nil)
        let stored = try #require(Scrypt.hash("x", cost: Self.cheap))
        #expect(Scrypt.needsRehash(stored))
        #expect(!Scrypt.needsRehash(stored, cost: Self.cheap))
    }
}
