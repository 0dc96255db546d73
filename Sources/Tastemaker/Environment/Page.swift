import Crypto
public import Postgres

/// What a List call asks for.
public struct PageRequest: Sendable {
    public let maxResults: Int
    public let nextToken: String?

    /// `maxResults`: 1 to 100, default 100.
    public init(maxResults: Int? = nil, nextToken: String? = nil) throws(OperationError) {
        if let maxResults { try Check.range(maxResults, 1...100, field: "maxResults") }
        if let nextToken, nextToken.utf8.count > 1500 { throw .invalidNextToken }
        self.maxResults = maxResults ?? 100
        self.nextToken = nextToken
    }
}

/// One page and the token of the next; nil on the last page.
public struct Page<Element: Sendable>: Sendable {
    public let items: [Element]
    public let nextToken: String?

    public init(items: [Element], nextToken: String?) {
        self.items = items
        self.nextToken = nextToken
    }
}

/// Where a page ended: key-set paging by creation time and id, newest first, so that rows added between pages neither repeat nor hide any.
public struct PageCursor: Sendable, Equatable {
    public let createdAt: PGTimestamp
    public let id: Int32

    public init(createdAt: PGTimestamp, id: Int32) {
        self.createdAt = createdAt
        self.id = id
    }
}

/// What List operations list.
protocol Listed: Sendable {
    var createdAt: PGTimestamp { get }
    var id: Int32 { get }
}

extension BatchSegmentJob: Listed {}
extension Campaign: Listed {}
extension Dataset: Listed {}
extension DatasetGroup: Listed {}
extension DatasetImportJob: Listed {}
extension DatasetSchema: Listed {}
extension EventTracker: Listed {}
extension Filter: Listed {}
extension Recommender: Listed {}
extension Solution: Listed {}
extension SolutionVersion: Listed {}

extension Environment {
    /// One page of a list, newest first.
    /// - Parameters:
    ///   - scope: the operation with its arguments: a token of another is refused.
    ///   - rows: finds at most so many after a cursor.
    func page<T: Listed>(
        _ request: PageRequest, scope: String, rows: (PageCursor?, Int, Connection) throws -> [T]
    ) throws(OperationError) -> Page<T> {
        let cursor = try cursor(request, scope: scope)
        // One row more than asked for tells whether there is a next page.
        let found = try read { try rows(cursor, request.maxResults + 1, $0) }
        let items = Array(found.prefix(request.maxResults))
        guard found.count > items.count, let last = items.last else { return Page(items: items, nextToken: nil) }
        let body =
            withUnsafeBytes(of: last.createdAt.microseconds.bigEndian) { Array($0) } + withUnsafeBytes(of: last.id.bigEndian) { Array($0) }
        return Page(items: items, nextToken: Base64.encodeURL(body + tokenTag(body, scope: scope)))
    }

    private func cursor(_ request: PageRequest, scope: String) throws(OperationError) -> PageCursor? {
        guard let token = request.nextToken else { return nil }
        guard let bytes = Base64.decodeURL(token), bytes.count == 28 else { throw .invalidNextToken }
        let body = Array(bytes[..<12])
        guard ConstantTime.equal(Array(bytes[12...]), tokenTag(body, scope: scope)) else { throw .invalidNextToken }
        let micros = body[..<8].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        let id = body[8...].reduce(Int32(0)) { $0 << 8 | Int32($1) }
        return PageCursor(createdAt: PGTimestamp(microseconds: micros), id: id)
    }

    private func tokenTag(_ body: [UInt8], scope: String) -> [UInt8] {
        Array(HMACSHA256.authenticate(body + Array(scope.utf8), key: sealer.derivedKey("page-token")).prefix(16))
    }
}
