import Foundation
import Glibc

/// The settings of the product that runs, in its run folder while it runs: other commands then find its addresses by themselves.
enum RunningSettings {
    /// What a command beside `up` needs to know; the private cluster is found by its socket.
    private static let kept: [Setting] = [
        .listen, .tlsCertificate, .tlsKey, .publicURL, .behindProxy, .s3Endpoint, .s3AccessKey, .s3SecretKey, .bucketFolders,
        .trainingThreads, .trainingMemory, .freeSpaceFloor, .databaseURL, .databaseURLDirect, .databaseURLOwner,
    ]

    private static func path(_ runFolder: String) -> String { runFolder + "/settings.env" }

    /// Writes them for the owner's eyes only: they may hold passwords.
    static func write(_ settings: LaunchSettings, for owner: SystemUser) throws(Failure) {
        let values = settings.childEnvironment([:])
        let text = kept.compactMap { setting in values[setting.rawValue].map { "\(setting.rawValue)=\($0)\n" } }.joined()
        let path = path(settings.runFolder)
        unlink(path)
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw Failure("\(path) cannot be written: \(systemMessage()); make room, or name another folder with --run.")
        }
        defer { close(file) }
        writeAll(text, to: file)
        if SystemUser.current.isRoot { fchown(file, owner.uid, owner.gid) }
    }

    /// None where nothing runs or this account may not read them.
    static func read(runFolder: String) -> SettingValues {
        guard let text = try? String(contentsOfFile: path(runFolder), encoding: .utf8) else { return [:] }
        return (try? SettingValues(file: text, named: path(runFolder))) ?? [:]
    }
}
