import JSON
import Ranking

/// One line of a file of queries, its ids as numbers.
struct RankQuery {
    /// JSON, echoed as it was given.
    var name: [UInt8]
    /// nil for a user whom the data does not know.
    var user: Int32?
    /// Items that replace what the data says of the user; nil leaves the data's word.
    var history: [Int32]?
    var item: Int32?
    var candidates: [Int32]?
    /// Items by attributes, for segments of users.
    var attributes: AttributeQuery?
    /// What the request comes in, by context column.
    var context: [String: String] = [:]
    /// When the list is wanted, in seconds since 1970; nil when that is not known.
    var time: Int64?
}

/// Reads `{"q":…,"user":…,"history":[…],"item":…,"candidates":[…],"context":{…},"time":…,"itemAttributes":…}`, one a line.
struct RankQueryReader {
    let path: String
    /// Ids that the data does not know get numbers behind its own.
    var items: IDTable
    let users: IDTable
    private(set) var queries: [RankQuery] = []

    static let queryLimit = 20_000_000
    static let listLimit = 100_000
    private static let fields = ["q", "user", "history", "item", "candidates", "context", "time", "itemAttributes"]

    init(path: String, users: IDTable, items: IDTable) {
        (self.path, self.users, self.items) = (path, users, items)
    }

    mutating func read() throws {
        try FileBytes(path: path).lines { line, number in
            do throws(Refusal) {
                queries.append(try query(line))
            } catch { throw Failure("\(path) line \(number): \(error.sentence).") }
            guard queries.count <= Self.queryLimit else { throw Failure("\(path) has more than \(Self.queryLimit) lines.") }
        }
        guard !queries.isEmpty else { throw Failure("\(path) holds no queries.") }
    }

    private struct Refusal: Error {
        var sentence: String
    }

    private mutating func query(_ line: ArraySlice<UInt8>) throws(Refusal) -> RankQuery {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: line) } catch { throw Refusal(sentence: "not JSON: \(error)") }
        guard let object = value.objectValue else { throw Refusal(sentence: "not a JSON object") }
        for member in object.members where !Self.fields.contains(member.name) {
            throw Refusal(sentence: "the field \(member.name) is unknown; a query has \(Self.fields.joined(separator: ", "))")
        }
        guard let name = object["q"] else { throw Refusal(sentence: "the field q is missing") }
        switch name {
        case .string, .integer, .double: break
        default: throw Refusal(sentence: "the field q is a string or a number")
        }
        let user = try value["user"].map { value throws(Refusal) in try id(value, "user") }
        let item = try value["item"].map { value throws(Refusal) in try id(value, "item") }
        let history = try value["history"].map { value throws(Refusal) in try self.ids(value, "history") }
        let candidates = try value["candidates"].map { value throws(Refusal) in try self.ids(value, "candidates") }
        let attributes = try value["itemAttributes"].map { value throws(Refusal) in try self.attributes(value) }
        if user == nil, item == nil, history == nil, attributes == nil {
            throw Refusal(sentence: "the field user is missing, and there is neither history nor item nor itemAttributes")
        }
        return RankQuery(
            name: name.serialized(), user: user.flatMap { users.find($0.utf8) }, history: history.map { number($0) },
            item: item.map { items.intern($0.utf8) }, candidates: candidates.map { number($0) }, attributes: attributes,
            context: try context(value["context"]), time: try time(value["time"]))
    }

    private func time(_ value: JSONValue?) throws(Refusal) -> Int64? {
        guard let value else { return nil }
        guard let seconds = value.intValue else { throw Refusal(sentence: "the field time is a whole number of seconds since 1970") }
        return Int64(seconds)
    }

    private func context(_ value: JSONValue?) throws(Refusal) -> [String: String] {
        guard let value else { return [:] }
        guard let members = value.objectValue?.members, members.count <= 150 else {
            throw Refusal(sentence: "the field context is an object of at most 150 columns")
        }
        var result: [String: String] = [:]
        for member in members {
            guard let text = member.value.stringValue else { throw Refusal(sentence: "the values of the field context are strings") }
            result[member.name] = text
        }
        return result
    }

    private mutating func number(_ ids: [String]) -> [Int32] { ids.map { items.intern($0.utf8) } }

    /// Ids are strings; a whole number is taken as its digits, as CSV files write it.
    private func id(_ value: JSONValue, _ field: String) throws(Refusal) -> String {
        switch value {
        case .string(let text) where !text.isEmpty && text.utf8.count <= 256: return text
        case .integer(let number): return String(number)
        default: throw Refusal(sentence: "the field \(field) is an id: a string of 1 to 256 bytes, or a whole number")
        }
    }

    private func attributes(_ value: JSONValue) throws(Refusal) -> AttributeQuery {
        guard let text = value.stringValue else { throw Refusal(sentence: "the field itemAttributes is a string") }
        do throws(AttributeQueryError) { return try AttributeQuery(parsing: text) } catch {
            throw Refusal(sentence: "the field itemAttributes cannot be read: \(error.reason)")
        }
    }

    private func ids(_ value: JSONValue, _ field: String) throws(Refusal) -> [String] {
        guard let elements = value.arrayValue, elements.count <= Self.listLimit else {
            throw Refusal(sentence: "the field \(field) is an array of at most \(Self.listLimit) ids")
        }
        var ids: [String] = []
        for element in elements { ids.append(try id(element, field)) }
        return ids
    }
}
