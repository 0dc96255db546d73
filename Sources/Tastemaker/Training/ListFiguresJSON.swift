import JSON
import Ranking

extension ListFigures {
    /// As a solution version's report keeps it.
    var json: JSONValue {
        [
            "values": .object(
                JSONObject(members: values.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .double($0.value)) })),
            "users": .integer(Int64(userCount)),
            "tenths": .array(tenths.map { ["listed": .double($0.listedShare), "met": .double($0.metShare)] }),
        ]
    }
}
