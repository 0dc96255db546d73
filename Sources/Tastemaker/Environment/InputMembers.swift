public import JSON

/// Reads the members of a JSON object that came from outside. A null counts as absent; a value of another type is refused with the
/// member's full name. Unknown members are ignored.
public struct InputMembers: Sendable {
    public let object: JSONObject
    private let path: String

    public init(_ object: JSONObject, path: String = "") {
        self.object = object
        self.path = path
    }

    /// `name` as it is called from the top of the request, such as `solutionConfig.eventsConfig`.
    public func fullName(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    public func value(_ name: String) -> JSONValue? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    public func string(_ name: String, length: ClosedRange<Int>? = nil) throws(OperationError) -> String? {
        guard let text = try typed(name, "a string", \.stringValue) else { return nil }
        if let length { try Check.length(text, length, field: fullName(name)) }
        return text
    }

    public func bool(_ name: String) throws(OperationError) -> Bool? {
        try typed(name, "a boolean", \.boolValue)
    }

    public func int(_ name: String) throws(OperationError) -> Int? {
        try typed(name, "an integer") { $0.intValue.map(Int.init) }
    }

    public func double(_ name: String) throws(OperationError) -> Double? {
        try typed(name, "a number", \.doubleValue)
    }

    public func array(_ name: String, count: ClosedRange<Int>? = nil) throws(OperationError) -> [JSONValue]? {
        guard let list = try typed(name, "a list", \.arrayValue) else { return nil }
        if let count, !count.contains(list.count) {
            throw Check.violation(
                "[\(list.count) members]", field: fullName(name),
                list.count > count.upperBound
                    ? "Member must have length less than or equal to \(count.upperBound)"
                    : "Member must have length greater than or equal to \(count.lowerBound)")
        }
        return list
    }

    public func members(_ name: String) throws(OperationError) -> InputMembers? {
        guard let object = try typed(name, "an object", \.objectValue) else { return nil }
        return InputMembers(object, path: fullName(name))
    }

    /// A list of objects.
    public func list(_ name: String, count: ClosedRange<Int>? = nil) throws(OperationError) -> [InputMembers]? {
        guard let values = try array(name, count: count) else { return nil }
        var list: [InputMembers] = []
        for (index, value) in values.enumerated() {
            let path = "\(fullName(name)).\(index + 1).member"
            guard let object = value.objectValue else { throw InputMembers.refusal(path, "an object") }
            list.append(InputMembers(object, path: path))
        }
        return list
    }

    public func strings(_ name: String, count: ClosedRange<Int>? = nil) throws(OperationError) -> [String]? {
        guard let values = try array(name, count: count) else { return nil }
        var strings: [String] = []
        for value in values {
            guard let text = value.stringValue else { throw InputMembers.refusal(fullName(name), "a list of strings") }
            strings.append(text)
        }
        return strings
    }

    /// A map of strings, such as hyperparameters; keys to 256 characters, values to 1000.
    public func map(_ name: String, keys limit: Int = 100) throws(OperationError) -> [String: String]? {
        guard let members = try members(name) else { return nil }
        guard members.object.members.count <= limit else {
            throw Check.violation(
                "{\(members.object.members.count) keys}", field: fullName(name), "Member must have length less than or equal to \(limit)")
        }
        var map: [String: String] = [:]
        for member in members.object.members where !member.value.isNull {
            try Check.length(member.name, 0...256, field: fullName(name))
            map[member.name] = try members.string(member.name, length: 0...1000)
        }
        return map
    }

    private func typed<T>(_ name: String, _ kind: String, _ read: (JSONValue) -> T?) throws(OperationError) -> T? {
        guard let value = value(name) else { return nil }
        guard let typed = read(value) else { throw InputMembers.refusal(fullName(name), kind) }
        return typed
    }

    private static func refusal(_ name: String, _ kind: String) -> OperationError {
        .invalidInput("1 validation error detected: Value at '\(name)' failed to satisfy constraint: Member must be \(kind)", field: name)
    }
}

extension JSONValue {
    /// The document without null members, which mean absent: what is stored is echoed, and an answer has no nulls.
    public var withoutNulls: JSONValue {
        switch self {
        case .object(let object):
            .object(
                JSONObject(
                    members: object.members.filter { !$0.value.isNull }.map { .init(name: $0.name, value: $0.value.withoutNulls) }))
        case .array(let values): .array(values.map(\.withoutNulls))
        case .null, .bool, .integer, .double, .string: self
        }
    }
}
