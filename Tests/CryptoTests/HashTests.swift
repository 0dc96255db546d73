import Crypto
import Testing

struct HashTests {
    /// FIPS 180-4 examples, and a million letters a.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func `SHA-256 gives the published digests`(message: String, digest: String) {
        #expect(Hex.encode(SHA256.hash(message)) == digest)
    }

    @Test func `a message hashed in pieces has the digest of the whole`() {
        let message = SecureRandom.bytes(1000)
        for cut in stride(from: 0, through: 1000, by: 37) {
            var hasher = SHA256()
            hasher.update(Array(message[..<cut]))
            hasher.update(Array(message[cut...]))
            #expect(hasher.finalize() == SHA256.hash(message))
        }
    }

    @Test func `a copy of a hasher goes on by itself`() {
        var first = SHA256()
        first.update("ab")
        var second = first
        second.update("c")
        first.update("d")
        #expect(second.finalize() == SHA256.hash("abc"))
        #expect(first.finalize() == SHA256.hash("abd"))
    }

    struct Vector: Sendable {
        var key: [UInt8]
        var message: [UInt8]
        var code: String
    }

    /// RFC 4231, cases 1 to 4, 6 and 7.
    @Test(arguments: [
        Vector(
            key: Array(repeating: 0x0B, count: 20), message: Array("Hi There".utf8),
            code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        Vector(
            key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8),
            code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        Vector(
            key: Array(repeating: 0xAA, count: 20), message: Array(repeating: 0xDD, count: 50),
            code: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        Vector(
            key: Array(1...25), message: Array(repeating: 0xCD, count: 50),
            code: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        Vector(
            key: Array(repeating: 0xAA, count: 131), message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        Vector(
            key: Array(repeating: 0xAA, count: 131),
            message: Array(
                ("This is a test using a larger than block-size key and a larger than block-size data. "
                    + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
            code: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
    ])
    func `HMAC-SHA-256 gives the codes of RFC 4231`(vector: Vector) {
        #expect(Hex.encode(HMACSHA256.authenticate(vector.message, key: vector.key)) == vector.code)
    }

    @Test func `one keyed hasher serves many messages`() {
        let keyed = HMACSHA256(key: Array("Jefe".utf8))
        for message in ["", "a", "what do ya want for nothing?"] {
            #expect(keyed.authenticate(message) == HMACSHA256.authenticate(message, key: Array("Jefe".utf8)))
        }
    }

    @Test func `a code with one changed bit is refused`() {
        var code = HMACSHA256.authenticate("message", key: [1])
        #expect(HMACSHA256.isValid(code, for: Array("message".utf8), key: [1]))
        code[31] ^= 1
        #expect(!HMACSHA256.isValid(code, for: Array("message".utf8), key: [1]))
    }

    @Test func `constant-time comparison tells equal from different, also by length`() {
        #expect(ConstantTime.equal([] as [UInt8], []))
        #expect(ConstantTime.equal([1, 2], [1, 2]))
        #expect(!ConstantTime.equal([1, 2], [1, 3]))
        #expect(!ConstantTime.equal([1, 2], [1, 2, 3]))
        #expect(!ConstantTime.equal("\u{e9}", "e\u{301}"))
    }
}
