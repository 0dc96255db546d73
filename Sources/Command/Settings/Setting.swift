/// Every setting by its name in the environment and in tastemaker.env. A flag wins over the environment, that over
/// tastemaker.env in the data folder, that over the default.
enum Setting: String, CaseIterable {
    case data = "TASTEMAKER_DATA"
    case run = "TASTEMAKER_RUN"
    case resources = "TASTEMAKER_RESOURCES"
    case user = "TASTEMAKER_USER"
    case listen = "TASTEMAKER_LISTEN"
    case tlsCertificate = "TASTEMAKER_TLS_CERTIFICATE"
    case tlsKey = "TASTEMAKER_TLS_KEY"
    case publicURL = "TASTEMAKER_PUBLIC_URL"
    case behindProxy = "TASTEMAKER_BEHIND_PROXY"
    case demo = "TASTEMAKER_DEMO"
    case workers = "TASTEMAKER_WORKERS"
    case drainSeconds = "TASTEMAKER_DRAIN_SECONDS"
    case logLevel = "TASTEMAKER_LOG_LEVEL"
    case s3Endpoint = "TASTEMAKER_S3_ENDPOINT"
    case s3AccessKey = "TASTEMAKER_S3_ACCESS_KEY"
    case s3SecretKey = "TASTEMAKER_S3_SECRET_KEY"
    /// `bucket=/folder` pairs with commas.
    case bucketFolders = "TASTEMAKER_BUCKETS"
    case trainingThreads = "TASTEMAKER_TRAINING_THREADS"
    case trainingMemory = "TASTEMAKER_TRAINING_MEMORY_MB"
    /// Free megabytes of the data folder's disk below which nothing that grows is stored; 0: no floor.
    case freeSpaceFloor = "TASTEMAKER_FREE_SPACE_FLOOR_MB"
    case databaseURL = "DATABASE_URL"
    case databaseURLDirect = "DATABASE_URL_DIRECT"
    case databaseURLOwner = "DATABASE_URL_OWNER"
}

/// Values of settings by name, from one source.
typealias SettingValues = [Setting: String]

extension SettingValues {
    /// Those that the environment holds; an empty one counts as not set.
    init(environment: [String: String]) {
        self.init()
        for setting in Setting.allCases {
            if let value = environment[setting.rawValue], !value.isEmpty { self[setting] = value }
        }
    }

    /// Reads `NAME=value` lines; `#` begins a comment line, quotes around a value are taken off. A name that is no setting
    /// is refused, so that a typing error does not pass for a setting.
    init(file text: String, named name: String) throws(Failure) {
        self.init()
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmed
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = parts[0].trimmed
            guard parts.count == 2 else { throw Failure("\(name) line \(index + 1) is not NAME=value: correct or remove it.") }
            guard let setting = Setting(rawValue: key), setting != .data else {
                throw Failure("\(name) line \(index + 1) names \(key), which is no setting of this file: correct or remove the line.")
            }
            var value = parts[1].trimmed[...]
            for quote in ["\"", "'"] where value.count >= 2 && value.hasPrefix(quote) && value.hasSuffix(quote) {
                value = value.dropFirst().dropLast()
            }
            self[setting] = value.isEmpty ? nil : String(value)
        }
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: String {
        let start = drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}
