extension Environment {
    /// The group that a request of our own API means: the one that the key is bound to, else the named one.
    public func datasetGroupID(named name: String?, by caller: Caller, waitMilliseconds: Int? = nil) throws(OperationError) -> Int32 {
        if let bound = caller.datasetGroupID, name == nil { return bound }
        let name = try Check.required(name, field: "datasetGroup")
        return try read(waitMilliseconds: waitMilliseconds) {
            try datasetGroup(arn: arn(.datasetGroup, name, for: caller), by: caller, $0).id
        }
    }
}
