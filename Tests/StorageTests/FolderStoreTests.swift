import Foundation
import Storage
import Testing

/// A folder that goes away with its last user.
final class TemporaryFolder {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("store-\(UUID().uuidString)").path
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Test func `an object is put, found, read, listed and deleted`() throws {
    let folder = TemporaryFolder()
    try exercise(try FolderStore(path: folder.path))
}

/// What every store does.
func exercise(_ store: some ArtifactStore) throws {
    let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    #expect(try store.find("a/b c+d%é&.bin") == nil)
    try store.put("a/b c+d%é&.bin", .bytes(content), ifAbsent: true)
    #expect(throws: StorageError.alreadyExists("a/b c+d%é&.bin")) { try store.put("a/b c+d%é&.bin", .bytes([1]), ifAbsent: true) }
    #expect(try store.find("a/b c+d%é&.bin")?.size == 100_000)
    #expect(try store.get("a/b c+d%é&.bin", limit: 100_000) == content)
    #expect(throws: StorageError.self) { try store.get("a/b c+d%é&.bin", limit: 99_999) }
    #expect(throws: StorageError.notFound("nothing")) { try store.get("nothing", limit: 10) }

    var reader = try store.open("a/b c+d%é&.bin", chunkSize: 33_000)
    var copy: [UInt8] = []
    while case let chunk = try reader.next(), !chunk.isEmpty { copy += chunk }
    #expect(copy == content)

    for key in ["a/2", "a/10", "b/1", "a2"] { try store.put(key, .bytes(Array(key.utf8)), ifAbsent: false) }
    try store.put("empty", .bytes([]), ifAbsent: false)
    #expect(try store.get("empty", limit: 0) == [])
    #expect(try store.list(prefix: "a/").map(\.key) == ["a/10", "a/2", "a/b c+d%é&.bin"])
    #expect(try store.list(prefix: "a").map(\.key) == ["a/10", "a/2", "a/b c+d%é&.bin", "a2"])
    #expect(try store.list(prefix: "").count == 6)
    #expect(try store.list(prefix: "none/").isEmpty)

    var changed = try store.open("a/2", chunkSize: 1)
    #expect(try changed.next() == Array("a".utf8))
    try store.put("a/2", .bytes(Array("other".utf8)), ifAbsent: false)
    #expect(throws: StorageError.changed("a/2")) { try changed.next() }

    let file = FileManager.default.temporaryDirectory.appendingPathComponent("upload-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    try Data(content).write(to: URL(fileURLWithPath: file))
    try store.put("from/file", .file(path: file), ifAbsent: false)
    #expect(try store.get("from/file", limit: 100_000) == content)

    try store.delete("a/2")
    try store.delete("a/2")
    #expect(try store.find("a/2") == nil)
    for key in ["", "/a", "a/", "a//b", "../a", "a/../b", ".", "a/./b", "a\u{0}b", String(repeating: "k", count: 2_000)] {
        #expect(throws: StorageError.self, "\(key)") { try store.put(key, .bytes([1]), ifAbsent: false) }
        #expect(throws: StorageError.self, "\(key)") { try store.find(key) }
    }
}

@Test func `folders go with their last object, and come back with the next`() throws {
    let folder = TemporaryFolder()
    let store = try FolderStore(path: folder.path)
    for key in ["models/g1/a", "models/g1/b", "models/g2/c"] { try store.put(key, .bytes([1]), ifAbsent: true) }
    try store.delete("models/g1/a")
    #expect(FileManager.default.fileExists(atPath: folder.path + "/models/g1"))
    try store.delete("models/g1/b")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/models/g1"))
    #expect(FileManager.default.fileExists(atPath: folder.path + "/models/g2"))
    try store.delete("models/g2/c")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    try store.put("models/g1/a", .bytes([1]), ifAbsent: true)
    #expect(try store.find("models/g1/a") != nil)
}

@Test func `many may put and delete in one folder at a time`() throws {
    let folder = TemporaryFolder()
    let store = try FolderStore(path: folder.path)
    DispatchQueue.concurrentPerform(iterations: 4) { number in
        for _ in 0..<10 {
            #expect(throws: Never.self) {
                try store.put("models/g1/\(number)", .bytes([1]), ifAbsent: false)
                try store.delete("models/g1/\(number)")
            }
        }
    }
}

@Test func `a symbolic link is not followed`() throws {
    let outside = TemporaryFolder()
    let folder = TemporaryFolder()
    try FolderStore(path: outside.path).put("secret", .bytes([42]), ifAbsent: true)
    let store = try FolderStore(path: folder.path)
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: outside.path)
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/file", withDestinationPath: outside.path + "/secret")
    #expect(throws: StorageError.invalid("the key link/secret leads over a symbolic link or a file")) { try store.find("link/secret") }
    #expect(throws: StorageError.self) { try store.find("file") }
    #expect(throws: StorageError.self) { try store.put("link/new", .bytes([1]), ifAbsent: false) }
    #expect(throws: StorageError.self) { try store.delete("link/secret") }
    #expect(try store.list(prefix: "").isEmpty)
    #expect(try store.list(prefix: "link").isEmpty)
}

@Test func `of many who put an absent object one wins`() throws {
    let folder = TemporaryFolder()
    let store = try FolderStore(path: folder.path)
    nonisolated(unsafe) var wins = [Bool](repeating: false, count: 16)
    wins.withUnsafeMutableBufferPointer { buffer in
        nonisolated(unsafe) let slots = buffer
        DispatchQueue.concurrentPerform(iterations: 16) { index in
            do { try store.put("one", .bytes([UInt8(index)]), ifAbsent: true); slots[index] = true } catch {}
        }
    }
    #expect(wins.count { $0 } == 1)
    #expect(try store.list(prefix: "").count == 1)
}

@Test(arguments: [
    ("s3://bucket/a/b.csv", "bucket", "a/b.csv"), ("s3://my.bucket-1/folder/", "my.bucket-1", "folder/"), ("s3://bucket", "bucket", ""),
])
func `a location is taken apart`(text: String, bucket: String, key: String) throws {
    let location = try S3Location(parsing: text)
    #expect(location.bucket == bucket)
    #expect(location.key == key)
    #expect(location.isFolder == (key.isEmpty || key.hasSuffix("/")))
}

@Test(arguments: [
    "", "bucket/key", "http://bucket/key", "s3://", "s3://B/key", "s3://ab/key", "s3://../key", "s3://-ab/key", "s3://bucket/../key",
    "s3://bucket//", "s3://bucket/a//b", "s3://bucket/a\n",
])
func `a location that breaks a rule is refused`(text: String) {
    #expect(throws: StorageError.self) { try S3Location(parsing: text) }
}

@Test func `a location names its CSV files in the order of their names`() throws {
    let folder = TemporaryFolder()
    let store = try FolderStore(path: folder.path)
    for key in ["in/2.csv", "in/10.csv", "in/3.CSV.GZ", "in/readme.txt", "in/deeper/1.csv", "one.csv"] {
        try store.put(key, .bytes([1]), ifAbsent: true)
    }
    let map = BucketMap(folders: ["bucket": folder.path])
    #expect(try map.files(at: S3Location(parsing: "s3://bucket/in/")).map(\.key) == ["in/10.csv", "in/2.csv", "in/3.CSV.GZ"])
    #expect(try map.files(at: S3Location(parsing: "s3://bucket/in")).count == 3)
    #expect(try map.files(at: S3Location(parsing: "s3://bucket/one.csv")).map(\.key) == ["one.csv"])
    #expect(throws: StorageError.notFound("two.csv")) { try map.files(at: S3Location(parsing: "s3://bucket/two.csv")) }
    let error = #expect(throws: StorageError.self) { try map.files(at: S3Location(parsing: "s3://other/x.csv")) }
    #expect(error?.description.hasPrefix("NoSuchBucket: ") == true)
}
