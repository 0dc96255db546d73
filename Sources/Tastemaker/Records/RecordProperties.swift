import JSON

/// The `properties` of the contract's single records and events: JSON written into a string, or an object as such.
enum RecordProperties {
    /// `limit` in Unicode scalars of the text. Absent properties are an empty object.
    static func read(_ members: InputMembers, limit: Int, field: String) throws(OperationError) -> JSONObject {
        switch members.value("properties") {
        case nil: return JSONObject()
        case .object(let object):
            let size = JSONValue.object(object).text.unicodeScalars.count
            guard size <= limit else {
                throw Check.violation("{…}", field: field, "Member must have length less than or equal to \(limit)")
            }
            return object
        case .string(let text):
            try Check.length(text, 1...limit, field: field)
            let value: JSONValue
            do throws(JSONError) { value = try JSONValue(parsing: text) } catch {
                throw .invalidInput("'\(field)' is not valid JSON: \(error.description).", field: field)
            }
            guard let object = value.objectValue else { throw .invalidInput("'\(field)' must hold a JSON object.", field: field) }
            return object
        default:
            throw .invalidInput("'\(field)' must be a JSON object written as a string.", field: field)
        }
    }
}
