import Postgres

extension Environment {
    /// Items by a piece of their title, best first: an exact title, then titles that begin so, then by title. An empty text gives any items.
    public func searchItems(in group: DatasetGroup, text: String, limit: Int = 20, by caller: Caller) throws(OperationError)
        -> [CatalogueItem]
    {
        try caller.require(datasetGroup: group.id, resource: "dataset-group/\(group.name)")
        guard !text.utf8.contains(0), text.utf8.count <= 400 else { return [] }
        let wanted = text.lowercased()
        let found = try read { try ItemSearchQueries.search(group, text: text, limit: 300, $0) }
        let ranked = found.map { item in
            let title = item.title.lowercased()
            let rank =
                title.utf8.elementsEqual(wanted.utf8) || item.itemID.utf8.elementsEqual(text.utf8) ? 0 : title.hasPrefix(wanted) ? 1 : 2
            return (rank: rank, title: title, item: item)
        }
        return ranked.sorted { ($0.rank, $0.title) < ($1.rank, $1.title) }.prefix(limit).map(\.item)
    }

    /// What people see of the given items; unknown ids are left out.
    public func items(_ itemIDs: [String], in group: DatasetGroup, by caller: Caller) throws(OperationError) -> [CatalogueItem] {
        try caller.require(datasetGroup: group.id, resource: "dataset-group/\(group.name)")
        guard !itemIDs.isEmpty else { return [] }
        return try read { try ItemSearchQueries.find(group, itemIDs: itemIDs, $0) }
    }

    /// Ids of visitors that begin with a text, the newest first.
    public func searchUsers(in group: DatasetGroup, text: String, limit: Int = 20, by caller: Caller) throws(OperationError) -> [String] {
        try caller.require(datasetGroup: group.id, resource: "dataset-group/\(group.name)")
        guard !text.utf8.contains(0), text.utf8.count <= 400 else { return [] }
        return try read { try ItemSearchQueries.users(group.id, text: text, limit: limit, $0) }
    }
}
