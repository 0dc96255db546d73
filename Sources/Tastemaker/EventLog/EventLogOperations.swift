extension Environment {
    /// The newest events of a group that were stored, or that were refused.
    public func listReceivedEvents(
        datasetGroupID: Int32, refused: Bool, limit: Int = 20, by caller: Caller
    ) throws(OperationError) -> [ReceivedEvent] {
        try caller.require(datasetGroup: datasetGroupID, resource: "dataset-group/\(datasetGroupID)")
        return try read { try EventLogQueries.list(datasetGroupID, refused: refused, limit: min(limit, 200), $0) }
    }
}
