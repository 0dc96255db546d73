/// What the operator sets and operations need. Command reads it from flags, TASTEMAKER_* variables and tastemaker.env.
public struct Settings: Sendable, Equatable {
    /// Where people and browsers reach the product; snippets, links and cookie flags follow from it. No slash at the end.
    public var publicURL: String
    /// S3-compatible endpoint for `s3://` locations, e.g. http://127.0.0.1:9000; nil: only mapped buckets.
    public var s3Endpoint: String?
    public var s3AccessKey: String?
    public var s3SecretKey: String?
    /// Bucket name -> folder, instead of or beside an endpoint.
    public var bucketFolders: [String: String]
    /// Where uploads are kept; also read by the job worker.
    public var uploadFolder: String
    /// Threads of a training; one core stays with serving.
    public var trainingThreads: Int
    /// Memory that one training may use.
    public var trainingMemoryBytes: Int
    /// Free space on the disk of the upload folder below which nothing that grows is stored; 0: no floor.
    public var freeSpaceFloorBytes: Int
    /// Memory for the rows of one import; a larger file goes through a table.
    public var importMemoryBytes: Int

    public init(
        publicURL: String, s3Endpoint: String? = nil, s3AccessKey: String? = nil, s3SecretKey: String? = nil,
        bucketFolders: [String: String] = [:], uploadFolder: String, trainingThreads: Int = 1, trainingMemoryBytes: Int = 4 << 30,
        freeSpaceFloorBytes: Int = 0,
        importMemoryBytes: Int = 96 << 20
    ) {
        self.publicURL = publicURL
        self.s3Endpoint = s3Endpoint
        self.s3AccessKey = s3AccessKey
        self.s3SecretKey = s3SecretKey
        self.bucketFolders = bucketFolders
        self.uploadFolder = uploadFolder
        self.trainingThreads = trainingThreads
        self.trainingMemoryBytes = trainingMemoryBytes
        self.freeSpaceFloorBytes = freeSpaceFloorBytes
        self.importMemoryBytes = importMemoryBytes
    }
}
