import Foundation
import Postgres

extension Environment {
    /// Removes uploads that nobody confirmed for a day. Files that an import names stay: they cannot be made again.
    func removeForgottenUploads() throws {
        let folder = URL(filePath: settings.uploadFolder, directoryHint: .isDirectory)
        let keys: Set<URLResourceKey> = [.isRegularFileKey, .contentModificationDateKey]
        guard
            let files = try? FileManager.default.contentsOfDirectory(
                at: folder, includingPropertiesForKeys: Array(keys), options: [.skipsHiddenFiles])
        else { return }
        let dayAgo = Double(now().microseconds) / 1_000_000 - 86_400
        let old = files.filter { file in
            guard let values = try? file.resourceValues(forKeys: keys), values.isRegularFile == true else { return false }
            return values.contentModificationDate.map { $0.timeIntervalSince1970 < dayAgo } ?? false
        }
        guard !old.isEmpty else { return }
        let names = old.map { Array($0.lastPathComponent.utf8) }
        let used = try read { connection in try ImportQueries.namedUploads(old.map(\.lastPathComponent), connection) }
        for (file, name) in zip(old, names) where !used.contains(name) { try? FileManager.default.removeItem(at: file) }
    }
}

extension ImportQueries {
    /// Of some files those that an import was made of, by bytes.
    fileprivate static func namedUploads(_ names: [String], _ connection: Connection) throws -> Set<[UInt8]> {
        Set(
            try connection.query(
                """
                SELECT DISTINCT n FROM unnest(\(names)) AS n JOIN dataset_import_job j ON j.data_location = 'upload:' || n
                """
            ).map { Array(try $0.string(0).utf8) })
    }
}
