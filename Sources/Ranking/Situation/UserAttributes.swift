/// Users' records as a request carries them.
public struct UserAttributes: Sendable {
    private let table: MetadataTable
    private let recordOfUser: [Int32: Int]

    public init(_ table: MetadataTable?) {
        self.table = table ?? MetadataTable()
        recordOfUser = Dictionary(self.table.ids.enumerated().map { ($1, $0) }) { first, _ in first }
    }

    /// Text by column, several categories separated by |; long text, which nothing is learned from, is left out.
    public func attributes(of user: Int32) -> [String: String] {
        guard let record = recordOfUser[user] else { return [:] }
        var values: [String: String] = [:]
        for column in table.columns {
            switch column.values {
            case .numbers(let numbers): if numbers[record].isFinite { values[column.name] = "\(numbers[record])" }
            case .categories(let lists):
                let names = lists.codes(of: record).map { lists.names[Int($0)] }
                if !names.isEmpty { values[column.name] = names.joined(separator: "|") }
            case .texts: continue
            }
        }
        return values
    }
}
