import Crypto
import Foundation
import Glibc
import Logging
public import Ranking
import Storage
import Synchronization

/// Models by artifact key, opened once a process. Which model serves is decided by the group's snapshot; a model lives as long as one refers to it.
public final class ModelStore: Sendable {
    private struct Weak {
        weak var holder: Holder?
    }

    /// A model and its mapping, shared by all snapshots that use it.
    public final class Holder: Sendable {
        public let model: Model

        init(_ model: Model) { self.model = model }
    }

    private let environment: Environment
    private let open = Mutex<[String: Weak]>([:])
    private let log = Logger(label: "tastemaker.models")

    public init(environment: Environment) {
        self.environment = environment
    }

    /// Opens a model, fetching its file when this host lacks it. The SHA-256 is verified once for a process.
    /// - Throws: a sentence for the log and the answer's notes; the caller keeps what it served before.
    public func model(key: String, sha256: [UInt8]) throws(ModelError) -> Holder {
        if let holder = open.withLock({ $0[key]?.holder }) { return holder }
        let holder = Holder(try Model(opening: verifiedFile(key, sha256: sha256), verifyingChecksum: false))
        open.withLock { open in
            open = open.filter { $0.value.holder != nil }
            open[key] = Weak(holder: holder)
        }
        log.info("model opened", metadata: ["key": "\(key)", "items": "\(holder.model.itemCount)"])
        return holder
    }

    /// A model of actions, which is small and taken out of its file whole.
    func actions(key: String, sha256: [UInt8]) throws(ModelError) -> ActionModel {
        let model = try ActionModel(opening: verifiedFile(key, sha256: sha256), verifyingChecksum: false)
        log.info("model opened", metadata: ["key": "\(key)", "actions": "\(model.actionIDs.count)"])
        return model
    }

    private func verifiedFile(_ key: String, sha256: [UInt8]) throws(ModelError) -> MappedFile {
        let file = try MappedFile(path: localPath(key, sha256: sha256))
        guard SHA256.hash(file.bytes) == sha256 else { throw .damaged("the file of \(key) does not have the registered SHA-256") }
        return file
    }

    /// A file that cannot serve is said in the log; what served before goes on.
    func noteFailure(key: String, _ error: ModelError) {
        log.error("model cannot serve; the last good one goes on", metadata: ["key": "\(key)", "reason": "\(error)"])
    }

    /// The artifact store's own file where it is a folder of this host, else a fetched copy.
    private func localPath(_ key: String, sha256: [UInt8]) throws(ModelError) -> String {
        if let folder = environment.artifacts as? FolderStore { return folder.path + "/" + key }
        let path = environment.settings.uploadFolder + "/model-cache/" + Hex.encode(sha256) + ".tmm"
        if access(path, R_OK) == 0 { return path }
        do {
            try FileManager.default.createDirectory(atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            let bytes = try environment.artifacts.get(key, limit: 8 << 30)
            let partial = path + ".\(getpid()).part"
            try Data(bytes).write(to: URL(filePath: partial))
            guard rename(partial, path) == 0 else { throw ModelError.damaged("the fetched copy of \(key) cannot be stored") }
        } catch {
            throw .damaged("\(key) cannot be fetched: \(error)")
        }
        return path
    }
}
