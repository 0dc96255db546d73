import Foundation
import Glibc

/// What an operator decides, resolved and checked once; children get it through their environment.
struct LaunchSettings: Equatable, Sendable {
    var listen: ListenAddress
    var tlsCertificate: String?
    var tlsKey: String?
    /// Without a slash at the end; links, snippets and cookie flags follow it.
    var publicURL: String
    /// Addresses whose X-Forwarded-For and X-Forwarded-Proto are believed.
    var trustedProxies: [String]
    var dataFolder: String
    /// Sockets and nginx's files: short, and gone after a restart of the machine.
    var runFolder: String
    /// Holds nginx/, Public/, Templates/ and Migrations/.
    var resources: String
    /// The account for everything below root; nil when `up` is not root.
    var user: String?
    /// Nil: load the demo shop on a first start of a private cluster only.
    var demo: Bool?
    /// Processes of a pool.
    var workers: Int
    /// Seconds that requests in progress get when a process ends.
    var drainSeconds: Int
    var logLevel: String
    /// S3-compatible endpoint for `s3://` locations; nil: only mapped buckets.
    var s3Endpoint: String?
    var s3AccessKey: String?
    var s3SecretKey: String?
    /// Bucket name -> folder of this machine.
    var bucketFolders: [String: String]
    /// One core stays with serving.
    var trainingThreads: Int
    var trainingMemoryMegabytes: Int
    /// Of the data folder's disk; below it nothing that grows is stored. 0: no floor.
    var freeSpaceFloorMegabytes: Int
    /// The role that serves; nil means a private cluster.
    var databaseURL: String?
    /// Past a pooler: LISTEN, COPY, migrations.
    var databaseURLDirect: String?
    /// The role that migrates.
    var databaseURLOwner: String?

    var isTLS: Bool { tlsCertificate != nil }

    /// Resolves flags, environment and tastemaker.env in this order.
    /// - Parameter running: what the product that runs was started with, by its run folder; wins over tastemaker.env.
    init(
        flags: SettingValues, environment: [String: String] = ProcessInfo.processInfo.environment,
        running: (_ runFolder: String) -> SettingValues = { _ in [:] }
    ) throws(Failure) {
        let variables = SettingValues(environment: environment)
        let data = absolutePath(flags[.data] ?? variables[.data] ?? Self.defaultDataFolder(environment))
        var values = try Self.fileValues(data)
        let run = flags[.run] ?? variables[.run] ?? values[.run] ?? Self.defaultRunFolder(data: data, environment)
        values.merge(running(absolutePath(run))) { $1 }
        values.merge(variables) { $1 }
        values.merge(flags) { $1 }
        values[.data] = data
        try self.init(values, environment: environment)
    }

    private init(_ values: SettingValues, environment: [String: String]) throws(Failure) {
        listen = try ListenAddress(values[.listen] ?? "127.0.0.1:8080")
        tlsCertificate = values[.tlsCertificate].map(absolutePath)
        tlsKey = values[.tlsKey].map(absolutePath)
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw Failure("TLS needs both --tls-certificate and --tls-key: give the missing one.")
        }
        trustedProxies = try Self.proxies(values[.behindProxy] ?? "")
        dataFolder = values[.data] ?? ""
        runFolder = absolutePath(values[.run] ?? Self.defaultRunFolder(data: dataFolder, environment))
        if let folder = values[.resources] {
            resources = absolutePath(folder)
        } else {
            resources = try Self.findResources()
        }
        user = values[.user]
        demo = try Self.flag(values, .demo)
        workers = try Self.number(values, .workers, 2, 2...64)
        drainSeconds = try Self.number(values, .drainSeconds, 20, 1...600)
        logLevel = values[.logLevel] ?? "info"
        s3Endpoint = values[.s3Endpoint]
        s3AccessKey = values[.s3AccessKey]
        s3SecretKey = values[.s3SecretKey]
        bucketFolders = try Self.folders(values[.bucketFolders] ?? "")
        trainingThreads = try Self.number(values, .trainingThreads, max(1, ProcessInfo.processInfo.activeProcessorCount - 1), 1...256)
        trainingMemoryMegabytes = try Self.number(values, .trainingMemory, 4096, 64...(1 << 22))
        freeSpaceFloorMegabytes = try Self.number(values, .freeSpaceFloor, 512, 0...(1 << 24))
        databaseURL = values[.databaseURL]
        databaseURLDirect = values[.databaseURLDirect]
        databaseURLOwner = values[.databaseURLOwner]
        publicURL = try Self.publicURL(values[.publicURL], listen: listen, isTLS: values[.tlsCertificate] != nil)
        guard listen.isLoopback || isTLS || !trustedProxies.isEmpty else {
            throw Failure(
                "\(listen) can be reached from other machines, and passwords would travel in the clear: "
                    + "add --tls-certificate and --tls-key, or name the proxy that does TLS with --behind-proxy ADDRESS.")
        }
    }

    /// Takes the private cluster for the database.
    mutating func use(_ urls: PrivateCluster.URLs) {
        databaseURL = urls.app
        databaseURLDirect = urls.app
        databaseURLOwner = urls.owner
    }

    /// The environment of a child: ours, with every setting as resolved here.
    func childEnvironment(_ base: [String: String] = ProcessInfo.processInfo.environment) -> [String: String] {
        var result = base
        for setting in Setting.allCases {
            result[setting.rawValue] = nil
        }
        let values: [Setting: String?] = [
            .data: dataFolder, .run: runFolder, .resources: resources, .user: user, .listen: listen.description,
            .tlsCertificate: tlsCertificate, .tlsKey: tlsKey, .publicURL: publicURL,
            .behindProxy: trustedProxies.joined(separator: ","), .demo: demo.map { $0 ? "yes" : "no" },
            .workers: String(workers), .drainSeconds: String(drainSeconds), .logLevel: logLevel,
            .s3Endpoint: s3Endpoint, .s3AccessKey: s3AccessKey, .s3SecretKey: s3SecretKey,
            .bucketFolders: bucketFolders.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ","),
            .trainingThreads: String(trainingThreads), .trainingMemory: String(trainingMemoryMegabytes),
            .freeSpaceFloor: String(freeSpaceFloorMegabytes), .databaseURL: databaseURL, .databaseURLDirect: databaseURLDirect,
            .databaseURLOwner: databaseURLOwner,
        ]
        for case (let setting, let value?) in values where !value.isEmpty {
            result[setting.rawValue] = value
        }
        return result
    }
}

extension LaunchSettings {
    private static func fileValues(_ data: String) throws(Failure) -> SettingValues {
        let path = data + "/tastemaker.env"
        guard access(path, F_OK) == 0 else { return [:] }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw Failure("\(path) cannot be read as UTF-8 text: correct its owner, mode or content.")
        }
        return try SettingValues(file: text, named: path)
    }

    static func defaultDataFolder(_ environment: [String: String]) -> String {
        if SystemUser.current.isRoot { return "/var/lib/tastemaker" }
        return (environment["XDG_DATA_HOME"] ?? (environment["HOME"] ?? "/tmp") + "/.local/share") + "/tastemaker"
    }

    /// One folder per data folder, as short as it can be: paths of sockets end at 107 bytes.
    static func defaultRunFolder(data: String, _ environment: [String: String]) -> String {
        let user = SystemUser.current
        let name = String(data.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }, radix: 36)
        if user.isRoot { return "/run/tastemaker/\(name)" }
        if let runtime = environment["XDG_RUNTIME_DIR"], access(runtime, W_OK) == 0 { return "\(runtime)/tastemaker/\(name)" }
        return "/tmp/tastemaker-\(user.uid)/\(name)"
    }

    private static func findResources() throws(Failure) -> String {
        var folder = ((try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "") as NSString
        while folder.length > 1 {
            folder = folder.deletingLastPathComponent as NSString
            for candidate in [folder as String, folder.appendingPathComponent("share/tastemaker")]
            where access(candidate + "/nginx/tastemaker.conf", R_OK) == 0 {
                return candidate
            }
        }
        throw Failure(
            "nginx/tastemaker.conf is not found above the program: name the folder that holds nginx/ and Public/ with TASTEMAKER_RESOURCES."
        )
    }

    private static func proxies(_ text: String) throws(Failure) -> [String] {
        var result: [String] = []
        for part in text.split(separator: ",") {
            let entry = part.trimmed
            let address = entry.split(separator: "/", omittingEmptySubsequences: false)
            var bytes = in6_addr()
            let isAddress = inet_pton(AF_INET, String(address[0]), &bytes) == 1 || inet_pton(AF_INET6, String(address[0]), &bytes) == 1
            guard isAddress, address.count == 1 || (address.count == 2 && Int(address[1]).map { (0...128).contains($0) } == true) else {
                throw Failure("--behind-proxy takes addresses such as 10.0.0.1 or 10.0.0.0/8, but has \(entry).")
            }
            result.append(entry)
        }
        return result
    }

    private static func publicURL(_ text: String?, listen: ListenAddress, isTLS: Bool) throws(Failure) -> String {
        guard var text else { return "\(isTLS ? "https" : "http")://\(listen.localAddress)" }
        while text.hasSuffix("/") { text.removeLast() }
        guard let parts = URLComponents(string: text), ["http", "https"].contains(parts.scheme), parts.host?.isEmpty == false,
            parts.path.isEmpty, parts.query == nil, parts.user == nil
        else {
            throw Failure("--public-url takes scheme and host, such as https://shop.example.com, but is \(text).")
        }
        return text
    }

    private static func folders(_ text: String) throws(Failure) -> [String: String] {
        var result: [String: String] = [:]
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1).map(\.trimmed)
            guard pair.count == 2, !pair[0].isEmpty, pair[1].hasPrefix("/") else {
                throw Failure("TASTEMAKER_BUCKETS takes bucket=/folder pairs with commas, but has \(part).")
            }
            result[pair[0]] = pair[1]
        }
        return result
    }

    private static func flag(_ values: SettingValues, _ setting: Setting) throws(Failure) -> Bool? {
        switch values[setting]?.lowercased() {
        case nil: return nil
        case "yes", "true", "1", "on": return true
        case "no", "false", "0", "off": return false
        case let text?: throw Failure("\(setting.rawValue) is yes or no, but is \(text).")
        }
    }

    private static func number(
        _ values: SettingValues, _ setting: Setting, _ standard: Int, _ range: ClosedRange<Int>
    ) throws(Failure) -> Int {
        guard let text = values[setting] else { return standard }
        guard let number = Int(text), range.contains(number) else {
            throw Failure("\(setting.rawValue) is a whole number from \(range.lowerBound) to \(range.upperBound), but is \(text).")
        }
        return number
    }
}

/// The path from the root, seen from the current folder.
func absolutePath(_ path: String) -> String {
    let whole = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    return (whole as NSString).standardizingPath
}
