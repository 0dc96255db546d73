import Postgres
import Ranking

extension TrainingRun {
    /// The objective's attribute of every item, unless the metadata that was read holds it: what is kept from learning is a reward all
    /// the same.
    func addObjective(_ objective: FitConfiguration.Objective, to data: inout TrainingData) throws {
        guard data.itemMetadata?.column(objective.itemAttribute) == nil else { return }
        let values = try environment.read { connection in
            try TrainingQueries.numbers(objective.itemAttribute, ofItemsIn: solution.datasetGroupID, connection)
        }
        var table = data.itemMetadata ?? MetadataTable(ids: values.keys.sorted())
        table.columns.append(MetadataColumn(name: objective.itemAttribute, values: .numbers(table.ids.map { values[$0] ?? .nan })))
        data.itemMetadata = table
    }
}

extension TrainingQueries {
    /// A numeric attribute by item; items where it is missing or no number are left out.
    static func numbers(_ attribute: String, ofItemsIn groupID: Int32, _ connection: Connection) throws -> [Int32: Float] {
        let rows = try connection.query(
            """
            SELECT item_id, (attributes ->> \(attribute))::real FROM item_record
            WHERE dataset_group_id = \(groupID) AND jsonb_typeof(attributes -> \(attribute)) = 'number'
            """)
        var values: [Int32: Float] = [:]
        for row in rows { values[try row.int32(0)] = try row.float(1) }
        return values
    }
}
