import Ranking

/// A file of item ids, one a line.
struct ItemIDFile {
    let path: String

    /// Their numbers; ids that are new to the table get new ones.
    func read(_ items: inout IDTable) throws -> [Int32] {
        var ids: [Int32] = []
        try FileBytes(path: path).lines { line, number in
            guard line.count <= 256 else { throw Failure("\(path) line \(number): an id has at most 256 bytes.") }
            ids.append(items.intern(line))
        }
        guard !ids.isEmpty else { throw Failure("\(path) holds no item ids.") }
        return ids
    }
}
