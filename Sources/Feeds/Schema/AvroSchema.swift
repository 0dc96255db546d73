public import JSON

/// A dataset schema in Avro's JSON form, right by construction: every rule of the contract held when it was made.
public struct AvroSchema: Sendable, Equatable {
    public let kind: DatasetKind
    public let domain: Domain?
    /// In the order of the document.
    public let columns: [SchemaColumn]

    public static let namespace = "com.amazonaws.personalize.schema"
    /// Unicode scalars of a schema's text.
    public static let textLimit = 20_000

    /// Checks columns against the rules of the kind and the domain.
    public init(kind: DatasetKind, domain: Domain? = nil, columns: [SchemaColumn]) throws(SchemaError) {
        self.kind = kind
        self.domain = domain
        self.columns = try SchemaRules(kind: kind, domain: domain).check(columns, kind: kind)
    }

    /// Parses a schema whose record name must be that of `kind`.
    public init(parsing text: String, kind: DatasetKind, domain: Domain? = nil) throws(SchemaError) {
        let document = try Self.document(text)
        let named = try Self.kind(of: document)
        guard named == kind else {
            throw SchemaError(field: nil, reason: "the record is named \(named.rawValue), \(kind.rawValue) was expected")
        }
        try self.init(kind: kind, domain: domain, columns: Self.columns(of: document))
    }

    /// Parses a schema and takes its kind from the record name.
    public init(parsing text: String, domain: Domain? = nil) throws(SchemaError) {
        let document = try Self.document(text)
        try self.init(kind: Self.kind(of: document), domain: domain, columns: Self.columns(of: document))
    }

    public func column(named name: String) -> SchemaColumn? {
        columns.first { $0.name.utf8.elementsEqual(name.utf8) }
    }

    /// The schema written anew: attributes that mean nothing here are gone.
    public var text: String { json.text }

    public var json: JSONValue {
        [
            "type": "record", "name": .string(kind.rawValue), "namespace": .string(Self.namespace),
            "fields": .array(columns.map(\.json)), "version": "1.0",
        ]
    }

    private static func document(_ text: String) throws(SchemaError) -> JSONValue {
        guard text.unicodeScalars.count <= textLimit else {
            throw SchemaError(field: nil, reason: "has more than \(textLimit) characters")
        }
        let document: JSONValue
        do throws(JSONError) { document = try JSONValue(parsing: text) } catch {
            throw SchemaError(field: nil, reason: "is not valid JSON: \(error.description)")
        }
        guard case .object = document else { throw SchemaError(field: nil, reason: "must be a JSON object") }
        guard document["type"]?.stringValue == "record" else { throw SchemaError(field: nil, reason: "type must be \"record\"") }
        for name in ["namespace", "version"] {
            if let value = document[name], value.stringValue == nil {
                throw SchemaError(field: nil, reason: "\(name) must be a string")
            }
        }
        return document
    }

    private static func kind(of document: JSONValue) throws(SchemaError) -> DatasetKind {
        guard let name = document["name"]?.stringValue else { throw SchemaError(field: nil, reason: "name must be a string") }
        guard let kind = DatasetKind(name: name) else {
            let known = DatasetKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw SchemaError(field: nil, reason: "name \"\(name)\" is not one of \(known)")
        }
        return kind
    }

    private static func columns(of document: JSONValue) throws(SchemaError) -> [SchemaColumn] {
        guard let fields = document["fields"]?.arrayValue, !fields.isEmpty else {
            throw SchemaError(field: nil, reason: "fields must be a list with at least one field")
        }
        var columns: [SchemaColumn] = []
        for (position, field) in fields.enumerated() { columns.append(try column(field, at: position)) }
        return columns
    }

    private static func column(_ field: JSONValue, at position: Int) throws(SchemaError) -> SchemaColumn {
        guard case .object = field else { throw SchemaError(field: "\(position + 1)", reason: "must be a JSON object") }
        guard let name = field["name"]?.stringValue else {
            throw SchemaError(field: "\(position + 1)", reason: "name must be a string")
        }
        let (type, isNullable) = try columnType(field["type"], of: name)
        return SchemaColumn(
            name: name, type: type, isNullable: isNullable, isCategorical: try flag("categorical", of: field, name),
            isTextual: try flag("textual", of: field, name), isItemName: try flag("itemName", of: field, name))
    }

    private static func flag(_ attribute: String, of field: JSONValue, _ name: String) throws(SchemaError) -> Bool {
        guard let value = field[attribute] else { return false }
        guard let flag = value.boolValue else { throw SchemaError(field: name, reason: "\(attribute) must be true or false") }
        return flag
    }

    /// A type's name, or a list of it and null in either order; a list of one is a type.
    private static func columnType(_ value: JSONValue?, of name: String) throws(SchemaError) -> (ColumnType, Bool) {
        let parts = value?.arrayValue ?? value.map { [$0] } ?? []
        let names = parts.compactMap(\.stringValue)
        guard names.count == parts.count else {
            throw SchemaError(field: name, reason: "nested types are not allowed")
        }
        guard (1...2).contains(names.count) else {
            throw SchemaError(field: name, reason: "type must be a type's name or a list of a type's name and null")
        }
        var types: [ColumnType] = []
        for text in names where text != "null" {
            guard let type = ColumnType(rawValue: text) else {
                let known = ColumnType.allCases.map(\.rawValue).joined(separator: ", ")
                throw SchemaError(field: name, reason: "type \"\(text)\" is not one of \(known), null")
            }
            types.append(type)
        }
        guard types.count == 1, let type = types.first else {
            throw SchemaError(field: name, reason: "a list of types holds one type and null")
        }
        return (type, names.count == 2)
    }
}

extension SchemaColumn {
    var json: JSONValue {
        var object: JSONObject = ["name": .string(name)]
        object["type"] = isNullable ? ["null", .string(type.rawValue)] : .string(type.rawValue)
        if isCategorical { object["categorical"] = true }
        if isTextual { object["textual"] = true }
        if isItemName { object["itemName"] = true }
        return .object(object)
    }
}
