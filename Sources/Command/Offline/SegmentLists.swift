import JSON
import Ranking

/// Segments of users as lines of JSON: {"q":…,"users":[…]}, with "error" where a query has no answer.
struct SegmentLists {
    let model: Model
    let queries: [RankQuery]
    let users: IDTable
    let top: Int
    let threads: Int

    func write(to output: NewFile) throws(FitError) {
        let asked = try queries.map { query throws(FitError) in try question(query) }
        try model.segments(asked, SegmentOptions(count: top, threads: threads), progress: { TerminalProgress.show($0, $1) }) {
            (index, answer) throws(FitError) in
            do throws(Failure) { try output.write(line(queries[index], answer)) } catch { throw .unusableData(error.description) }
        }
    }

    private func question(_ query: RankQuery) throws(FitError) -> SegmentQuery {
        if model.recipe.description.needs.contains(.itemAttributes) {
            if let attributes = query.attributes { return .attributes(attributes) }
        } else if let item = query.item {
            return .item(item)
        }
        let field = model.recipe.description.needs.contains(.itemAttributes) ? "itemAttributes" : "item"
        throw .unusableData("The query \(String(decoding: query.name, as: UTF8.self)) lacks the field \(field).")
    }

    private func line(_ query: RankQuery, _ answer: Result<[SegmentUser], SegmentRefusal>) -> [UInt8] {
        var writer = JSONWriter(reserving: 64 + 12 * top)
        writer.beginObject()
        writer.key("q")
        writer.raw(query.name)
        writer.key("users")
        writer.beginArray()
        if case .success(let found) = answer { for user in found { writer.string(utf8: users.bytes(of: user.user)) } }
        writer.endArray()
        if case .failure(let refusal) = answer {
            writer.key("error")
            writer.string(refusal.sentence)
        }
        writer.endObject()
        writer.newline()
        return writer.bytes
    }
}
