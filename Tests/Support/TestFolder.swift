import Foundation
import Glibc

/// Folders of this test process, all inside one that is removed when the process ends, however it ends.
public struct TestFolder: Sendable {
    private let path: String
    private let keeper: Keeper

    private static let shared: Result<TestFolder, TestClusterError> = Result { () throws(TestClusterError) in try TestFolder() }

    private init() throws(TestClusterError) {
        var template = Array((NSTemporaryDirectory() + "tastemaker-tests-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw TestClusterError("No folder could be made in \(NSTemporaryDirectory()).") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        keeper = try Keeper(removing: path)
    }

    /// The path of a new, empty folder whose name begins like this.
    public static func make(_ name: String) throws -> String {
        let path = try shared.get().path + "/\(name)-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        return path
    }
}
