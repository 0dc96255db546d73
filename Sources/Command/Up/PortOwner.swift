import Foundation
import Glibc

/// Who listens on a port of this machine.
enum PortOwner {
    /// `nginx (process 812)`, or nil when it cannot be told, as for another user's process.
    static func describe(port: Int) -> String? {
        let inodes = Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap { listeners(of: port, in: $0) }.map { "socket:[\($0)]" })
        guard !inodes.isEmpty else { return nil }
        let files = FileManager.default
        for process in (try? files.contentsOfDirectory(atPath: "/proc")) ?? [] where Int(process) != nil {
            for descriptor in (try? files.contentsOfDirectory(atPath: "/proc/\(process)/fd")) ?? [] {
                guard let target = try? files.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\(descriptor)"),
                    inodes.contains(target)
                else { continue }
                let name = (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8))?.trimmed ?? "?"
                return "\(name) (process \(process))"
            }
        }
        return nil
    }

    /// Inodes of the listening sockets on the port, from a table such as /proc/net/tcp.
    private static func listeners(of port: Int, in table: String) -> [String] {
        let text = (try? String(contentsOfFile: table, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, fields[3] == "0A", let colon = fields[1].lastIndex(of: ":"),
                Int(fields[1][fields[1].index(after: colon)...], radix: 16) == port
            else { return nil }
            return String(fields[9])
        }
    }
}
