/// Where `s3://` leads: buckets that are folders of this host, and one S3-compatible server for all others.
public struct BucketMap: Sendable {
    /// Paths by bucket.
    public var folders: [String: String]
    public var endpoint: S3Endpoint?

    public init(folders: [String: String] = [:], endpoint: S3Endpoint? = nil) {
        self.folders = folders
        self.endpoint = endpoint
    }

    public func store(for bucket: String) throws(StorageError) -> any ArtifactStore {
        if let path = folders[bucket] { return try FolderStore(path: path) }
        guard let endpoint else {
            throw .refused(code: "NoSuchBucket", message: "the bucket \(bucket) is not mapped to a folder and no S3 endpoint is set")
        }
        return S3Store(endpoint: endpoint, bucket: bucket)
    }

    /// The files of a location: the object itself, or those directly in the folder with one of the endings, ordered by name. A location without a
    /// slash at its end that names no object is taken for a folder.
    public func files(
        at location: S3Location, endings: [String] = [".csv", ".csv.gz"], what: String = "CSV"
    ) throws(StorageError) -> [Artifact] {
        let store = try store(for: location.bucket)
        if !location.isFolder, let artifact = try store.find(location.key) { return [artifact] }
        let folder = location.isFolder ? location.key : location.key + "/"
        let files = try store.list(prefix: folder).filter { artifact in
            let name = artifact.key.utf8.dropFirst(folder.utf8.count)
            let lower = artifact.key.lowercased()
            return !name.contains(UInt8(ascii: "/")) && endings.contains { lower.hasSuffix($0) }
        }
        guard !files.isEmpty else {
            throw location.isFolder
                ? .refused(code: "NoSuchKey", message: "there is no \(what) file in \(location)") : .notFound(location.key)
        }
        return files
    }
}
