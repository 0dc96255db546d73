/// `s3://bucket/key` or, with a slash at its end, a folder of objects.
public struct S3Location: Sendable, Equatable, CustomStringConvertible {
    public let bucket: String
    /// Empty for the whole bucket.
    public let key: String

    public init(bucket: String, key: String) throws(StorageError) {
        let isValid =
            (3...63).contains(bucket.utf8.count) && !bucket.contains("..")
            && bucket.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E }
            && bucket.utf8.first != 0x2D && bucket.utf8.first != 0x2E
        guard isValid else {
            throw .invalid("InvalidBucketName: a bucket has 3 to 63 small letters, digits, dots and hyphens")
        }
        let path = key.hasSuffix("/") ? String(key.dropLast()) : key
        if !path.isEmpty { _ = try ArtifactKey.parts(path) } else if !key.isEmpty { throw .invalid("the key is a slash alone") }
        self.bucket = bucket
        self.key = key
    }

    public init(parsing text: String) throws(StorageError) {
        guard text.utf8.starts(with: "s3://".utf8) else { throw .invalid("a location begins with s3://") }
        let path = text.utf8.dropFirst(5)
        let bucket = path.prefix { $0 != UInt8(ascii: "/") }
        let key = path.dropFirst(bucket.count + 1)
        try self.init(bucket: String(decoding: bucket, as: UTF8.self), key: String(decoding: key, as: UTF8.self))
    }

    public var isFolder: Bool { key.isEmpty || key.hasSuffix("/") }
    public var description: String { "s3://\(bucket)/\(key)" }
}
