import Foundation

/// A store in a folder of this host. Objects appear whole: written beside, synchronised, renamed. Symbolic links below the folder are
/// never followed, so no key leads out of it.
public struct FolderStore: ArtifactStore {
    private static let temporaryPrefix = ".part-"
    private static let listLimit = 1_000_000

    public let path: String

    /// Makes the folder if there is none.
    public init(path: String) throws(StorageError) {
        self.path = path
        do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
            throw .unavailable("the folder \(path) cannot be made: \(error.localizedDescription)")
        }
    }

    public func find(_ key: String) throws(StorageError) -> Artifact? {
        do throws(StorageError) {
            let file = try open(key)
            defer { close(file) }
            return try artifact(key, file)
        } catch .notFound {
            return nil
        }
    }

    public func read(_ key: String, range: Range<Int64>, version: String?) throws(StorageError) -> [UInt8] {
        let file = try open(key)
        defer { close(file) }
        let artifact = try artifact(key, file)
        if let version, version != artifact.version { throw .changed(key) }
        let count = Int(max(0, min(range.upperBound, artifact.size) - range.lowerBound))
        var filled = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while filled < count {
                let step = pread(file, buffer.baseAddress?.advanced(by: filled), count - filled, off_t(range.lowerBound) + off_t(filled))
                guard step > 0 else { break }
                filled += step
            }
            initialized = filled
        }
        guard filled == count else { throw failure("read", key) }
        return bytes
    }

    public func put(_ key: String, _ content: ArtifactContent, ifAbsent: Bool) throws(StorageError) {
        let parts = try ArtifactKey.parts(key)
        let temporary = Self.temporaryPrefix + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let (folder, name, file) = try openTemporary(temporary, beside: parts, key)
        defer { close(folder) }
        defer { unlinkat(folder, temporary, 0) }
        do throws(StorageError) {
            try write(content, to: file, key)
            guard fsync(file) == 0 else { throw failure("written", key) }
        } catch {
            close(file)
            throw error
        }
        guard close(file) == 0 else { throw failure("written", key) }
        if ifAbsent {
            guard linkat(folder, temporary, folder, name, 0) == 0 else {
                throw errno == EEXIST ? .alreadyExists(key) : failure("written", key)
            }
        } else {
            guard renameat(folder, temporary, folder, name) == 0 else { throw failure("written", key) }
        }
        fsync(folder)
    }

    /// A deletion may take an empty folder away between any two of the steps; a folder with a file in it stays.
    private func openTemporary(
        _ temporary: String, beside parts: [String], _ key: String
    ) throws(StorageError) -> (folder: Int32, name: String, file: Int32) {
        for _ in 0..<100 {
            let folder: Int32
            let name: String
            do throws(StorageError) { (folder, name) = try openFolder(parts, create: true) } catch {
                guard case .notFound = error else { throw error }
                continue
            }
            let file = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
            if file >= 0 {
                Self.giveToOwner(of: folder, file)
                return (folder, name, file)
            }
            let reason = errno
            close(folder)
            guard reason == ENOENT else {
                errno = reason
                throw failure("written", key)
            }
        }
        throw .unavailable("the folder of \(key) is taken away again and again")
    }

    public func list(prefix: String) throws(StorageError) -> [Artifact] {
        let directory = prefix.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(prefix[..<$0]) } ?? ""
        var found: [Artifact] = []
        if directory.isEmpty {
            try collect(try openRoot(), "", prefix, &found)
        } else {
            let parts = try ArtifactKey.parts(directory)
            do throws(StorageError) {
                let (folder, _) = try openFolder(parts + [""], create: false)
                try collect(folder, directory + "/", prefix, &found)
            } catch .notFound {
                return []
            }
        }
        return found.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    /// With the folders of the key that are empty then.
    public func delete(_ key: String) throws(StorageError) {
        var parts = try ArtifactKey.parts(key)
        do throws(StorageError) {
            let (folder, name) = try openFolder(parts, create: false)
            defer { close(folder) }
            guard unlinkat(folder, name, 0) == 0 || errno == ENOENT else { throw failure("deleted", key) }
            parts.removeLast()
            while !parts.isEmpty {
                let (above, name) = try openFolder(parts, create: false)
                defer { close(above) }
                guard unlinkat(above, name, AT_REMOVEDIR) == 0 else { return }
                parts.removeLast()
            }
        } catch .notFound {
            return
        }
    }

    private func failure(_ verb: String, _ key: String) -> StorageError {
        .unavailable("the file \(key) cannot be \(verb): \(String(cString: strerror(errno)))")
    }

    private func openRoot() throws(StorageError) -> Int32 {
        let root = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { throw .unavailable("the folder \(path) cannot be opened: \(String(cString: strerror(errno)))") }
        return root
    }

    /// Opens the folder of the last part, one step at a time and following no link.
    private func openFolder(_ parts: [String], create: Bool) throws(StorageError) -> (folder: Int32, name: String) {
        var folder = try openRoot()
        for part in parts.dropLast() {
            let isNew = create && mkdirat(folder, part, 0o750) == 0
            let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            let reason = errno
            if isNew, next >= 0 { Self.giveToOwner(of: folder, next) }
            close(folder)
            guard next >= 0 else { throw Self.step(reason, parts.joined(separator: "/")) }
            folder = next
        }
        return (folder, parts.last ?? "")
    }

    /// What a command stores as root belongs, like all else in the folder, to the account that serves it.
    private static func giveToOwner(of folder: Int32, _ file: Int32) {
        var status = stat()
        if geteuid() == 0, fstat(folder, &status) == 0 { fchown(file, status.st_uid, status.st_gid) }
    }

    private static func step(_ reason: Int32, _ key: String) -> StorageError {
        switch reason {
        case ENOENT: .notFound(key)
        case ELOOP, ENOTDIR: .invalid("the key \(key) leads over a symbolic link or a file")
        default: .unavailable("the file \(key) cannot be opened: \(String(cString: strerror(reason)))")
        }
    }

    private func open(_ key: String) throws(StorageError) -> Int32 {
        let (folder, name) = try openFolder(try ArtifactKey.parts(key), create: false)
        defer { close(folder) }
        let file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw Self.step(errno, key) }
        return file
    }

    private func artifact(_ key: String, _ file: Int32) throws(StorageError) -> Artifact {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure("read", key) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notFound(key) }
        return Artifact(key: key, size: Int64(status.st_size), version: Self.version(status))
    }

    private static func version(_ status: stat) -> String {
        "\(status.st_ino)-\(status.st_size)-\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }

    private func write(_ content: ArtifactContent, to file: Int32, _ key: String) throws(StorageError) {
        switch content {
        case .bytes(let bytes): try write(bytes, to: file, key)
        case .file(let path):
            guard let source = FileHandle(forReadingAtPath: path) else { throw .unavailable("the file \(path) cannot be opened") }
            defer { try? source.close() }
            while true {
                let chunk: Data?
                do { chunk = try source.read(upToCount: 1 << 20) } catch { throw .unavailable("the file \(path) cannot be read") }
                guard let chunk, !chunk.isEmpty else { return }
                try write(Array(chunk), to: file, key)
            }
        }
    }

    private func write(_ bytes: [UInt8], to file: Int32, _ key: String) throws(StorageError) {
        var done = 0
        while done < bytes.count {
            let step = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress?.advanced(by: done), bytes.count - done) }
            guard step > 0 || errno == EINTR else { throw failure("written", key) }
            done += max(0, step)
        }
    }

    /// Takes over `folder` and closes it.
    private func collect(_ folder: Int32, _ path: String, _ prefix: String, _ found: inout [Artifact]) throws(StorageError) {
        guard let directory = fdopendir(folder) else {
            close(folder)
            throw failure("listed", path)
        }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != "..", !name.hasPrefix(Self.temporaryPrefix) else { continue }
            let key = path + name
            var status = stat()
            guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFREG, key.utf8.starts(with: prefix.utf8) {
                guard found.count < Self.listLimit else { throw .tooLarge("more than \(Self.listLimit) objects") }
                found.append(Artifact(key: key, size: Int64(status.st_size), version: Self.version(status)))
            } else if status.st_mode & S_IFMT == S_IFDIR, key.utf8.starts(with: prefix.utf8) || prefix.utf8.starts(with: key.utf8) {
                let below = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                if below >= 0 { try collect(below, key + "/", prefix, &found) }
            }
        }
    }
}
