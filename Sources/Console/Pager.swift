public import Tastemaker
public import Web

extension Visit {
    /// The page of a list that the address asks for: its token stands in `after`.
    public func pageRequest(_ count: Int = 50) throws -> PageRequest {
        try PageRequest(maxResults: count, nextToken: request.query("after"))
    }

    /// Links to the next page and back to the first; false when all fits on one. `base` is the list's address without a query.
    public func pager(next token: String?, base: URLValue) throws -> ViewValue {
        let isFirst = try request.query("after") == nil
        if isFirst, token == nil { return false }
        let older = token.flatMap { URLValue(base.text + "?after=" + PercentCoding.encode($0)) }
        return .object([
            "summary": isFirst ? "Newest first" : "Older", "newerURL": isFirst ? false : .url(base),
            "olderURL": older.map { .url($0) } ?? false,
        ])
    }
}
