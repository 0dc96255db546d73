import Crypto
import Testing

struct EncodingTests {
    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func `base64 gives the texts of RFC 4648`(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
        #expect(Base64.decodeURL(encoded.filter { $0 != "=" }) == Array(plain.utf8))
    }

    @Test(arguments: ["Zg", "Zg=", "Zh==", "Z===", "====", "Zm9v\n", "Zm 9", "Zm9-", "Zm=v"])
    func `base64 that is not canonical is refused`(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test func `every encoding gives back random bytes of each length`() {
        for count in 0..<70 {
            let bytes = SecureRandom.bytes(count)
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.decodeURL(Base64.encodeURL(bytes)) == bytes)
            #expect(Base32.decode(Base32.encode(bytes)) == bytes)
            #expect(Hex.decode(Hex.encode(bytes)) == bytes)
        }
    }

    @Test func `base32 is Crockford's alphabet in lower case`() {
        #expect(Base32.encode([0x00, 0x44, 0x32, 0x14, 0xC7, 0x42, 0x54, 0xB6, 0x35, 0xCF]) == "0123456789abcdef")
        #expect(Base32.decode("0l") == nil)
        #expect(Base32.decode("A0") == nil)
    }

    @Test func `hexadecimal reads both cases and nothing else`() {
        #expect(Hex.decode("00fFAb") == [0, 255, 171])
        #expect(Hex.decode("0") == nil)
        #expect(Hex.decode("0g") == nil)
    }

    @Test func `tokens have the asked length and letters, and do not repeat`() {
        let tokens = (0..<200).map { _ in SecureRandom.token(.base32, length: 26) }
        #expect(Set(tokens).count == 200)
        #expect(tokens.allSatisfy { $0.utf8.count == 26 && Base32.decode(String($0.prefix(8))) != nil })
        #expect(SecureRandom.token(length: 43).utf8.allSatisfy { $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") })
    }

    @Test func `all letters of a token's alphabet occur`() {
        #expect(Set(SecureRandom.token(.base32, length: 4000)).count == 32)
        #expect(Set(SecureRandom.token(.base64URL, length: 4000)).count == 64)
    }

    @Test func `a UUID has version 4 and the right variant`() {
        for _ in 0..<100 {
            let text = Array(SecureRandom.uuid().utf8)
            #expect(text.count == 36)
            #expect([8, 13, 18, 23].allSatisfy { text[$0] == UInt8(ascii: "-") })
            #expect(text[14] == UInt8(ascii: "4"))
            #expect("89ab".utf8.contains(text[19]))
        }
    }
}
