import Foundation
import Testing

/// The architecture: which module may import which. The package manager does not enforce it.
struct ImportDirectionTests {
    static let system: Set<String> = ["Foundation", "FoundationNetworking", "Glibc", "Dispatch", "Synchronization"]
    static let allowed: [String: Set<String>] = [
        "JSON": [], "Locks": [], "Crypto": ["CCrypto"], "Storage": ["Crypto", "CZlib", "CCurl"], "Ranking": ["Locks", "Kernels", "CBLAS"],
        "FilterLanguage": [], "Statistics": [], "Feeds": ["JSON", "CXML"], "Postgres": ["CPostgres", "Locks"],
        "Web": ["JSON", "Locks", "Crypto", "CFastCGI", "Logging", "Mustache"],
        "Tastemaker": ["JSON", "Locks", "Crypto", "Storage", "Ranking", "FilterLanguage", "Statistics", "Feeds", "Postgres", "Logging"],
        "API": ["Tastemaker", "Locks", "Web", "JSON", "Logging", "Feeds", "FilterLanguage", "Statistics", "Ranking", "Crypto"],
        "Console": ["Tastemaker", "Web", "JSON", "Logging", "Feeds", "FilterLanguage", "Statistics", "Ranking", "Crypto"],
    ]
    static let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources").standardized

    @Test(arguments: allowed.keys.sorted())
    func `a module imports only what the table allows`(module: String) throws {
        for file in try files(of: module) {
            for imported in try imports(in: file) {
                let isAllowed = Self.system.contains(imported) || Self.allowed[module]?.contains(imported) == true
                #expect(isAllowed, "\(module)/\(file.lastPathComponent) imports \(imported)")
            }
        }
    }

    func files(of module: String) throws -> [URL] {
        let folder = Self.sources.appending(path: module)
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        try #require(!paths.isEmpty)
        return paths.map { folder.appending(path: $0) }
    }

    func imports(in file: URL) throws -> [String] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init).filter { !$0.hasPrefix("@") }
            guard let position = words.firstIndex(of: "import"),
                words[..<position].allSatisfy({ ["public", "internal", "package"].contains($0) }),
                words.count > position + 1
            else { return nil }
            let name = words[position + 1] == "struct" || words[position + 1] == "func" ? words[position + 2] : words[position + 1]
            return String(name.prefix { $0 != "." })
        }
    }
}
