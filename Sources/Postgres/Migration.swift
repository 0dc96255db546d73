import Foundation

/// One numbered file of the Migrations folder.
public struct Migration: Sendable, Hashable {
    public var version: Int
    /// The file's name without number and ending.
    public var name: String
    public var text: String

    /// The file holds one statement that may run twice and not inside a transaction (`CREATE INDEX CONCURRENTLY IF NOT EXISTS`).
    public var isOutsideTransaction: Bool {
        text.split(separator: "\n").contains { $0.trimmingCharacters(in: .whitespaces) == "-- no transaction" }
    }

    /// Reads `NNNN_name.sql` files in order; refuses gaps, doubles and files of another shape.
    public static func all(in folder: String) throws(PostgresError) -> [Migration] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw PostgresError(.migration, "The folder of migrations \(folder) cannot be read.")
        }
        var found: [Migration] = []
        for name in names.sorted() where name.hasSuffix(".sql") { found.append(try read(name, in: folder)) }
        for (index, migration) in found.enumerated() where migration.version != index + 1 {
            throw PostgresError(
                .migration, "The folder of migrations should hold number \(index + 1) but goes on with \(migration.version).")
        }
        guard !found.isEmpty else { throw PostgresError(.migration, "The folder of migrations \(folder) holds no migration.") }
        return found
    }

    private static func read(_ file: String, in folder: String) throws(PostgresError) -> Migration {
        let stem = file.dropLast(4)
        guard stem.utf8.count > 5, stem.utf8.prefix(4).allSatisfy({ (48...57).contains($0) }), stem.dropFirst(4).first == "_",
            let version = Int(stem.prefix(4))
        else {
            throw PostgresError(.migration, "The migration \(file) should be named by four digits, an underscore and a name.")
        }
        guard let data = FileManager.default.contents(atPath: folder + "/" + file), let text = String(data: data, encoding: .utf8) else {
            throw PostgresError(.migration, "The migration \(file) cannot be read as UTF-8.")
        }
        return Migration(version: version, name: String(stem.dropFirst(5)), text: text)
    }
}
