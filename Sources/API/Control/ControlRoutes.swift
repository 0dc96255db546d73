import JSON
import Tastemaker
import Web

/// The awsJson1.1 door: one path, the operation in a header. An endpoint URL may carry a path of one segment.
enum ControlRoutes {
    static let all: [APIRoute] = ["/", "/{prefix}", "/{prefix}/"].map { pattern in
        APIRoute(.post, pattern, name: "POST / (AWS control plane)", access: .aws(.control), body: .whole(limit: 1 << 20), handler: handle)
    }

    private static let targetPrefix = "AmazonPersonalize."

    private static func handle(_ context: inout APIContext, _ request: Request) throws -> Response {
        guard let operation = operation(of: request) else { throw WireRefusal.unknownOperation(.control) }
        let call = ControlCall(
            environment: context.environment, members: InputMembers(try WireBody.object(request)), caller: try context.requireCaller())
        var out = JSONWriter()
        out.beginObject()
        do {
            try operation.run(call, &out)
        } catch {
            DeniedCalls.note(error, action: operation.name, members: call.members, caller: call.caller, environment: call.environment)
            throw error
        }
        out.endObject()
        return Response(.ok, contentType: WireStyle.control.contentType, body: out.bytes)
    }

    private static func operation(of request: Request) -> ControlOperation? {
        guard let target = request.header("X-Amz-Target"), target.utf8.starts(with: targetPrefix.utf8) else { return nil }
        return ControlOperations.byName[String(target.utf8.dropFirst(targetPrefix.utf8.count)) ?? ""]
    }
}

/// Request bodies of the AWS doors.
enum WireBody {
    /// The JSON object of a body; an empty body is an empty object.
    static func object(_ request: Request) throws -> JSONObject { try object(of: request.body) }

    /// The same of a body that may be packed. What was signed is the packed one.
    static func unpackedObject(_ request: Request) throws -> JSONObject {
        guard let encoding = request.header("Content-Encoding") else { return try object(request) }
        return try object(of: PackedBody.unpack(request.body, encoding: encoding, limit: unpackedLimit))
    }

    private static let unpackedLimit = 1 << 20

    private static func object(of body: [UInt8]) throws -> JSONObject {
        guard !body.isEmpty else { return JSONObject() }
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: body) } catch {
            throw WireRefusal.serialization("The body cannot be read: \(error.description).")
        }
        guard let object = value.objectValue else { throw WireRefusal.serialization("The body must be a JSON object.") }
        guard !value.containsNUL else { throw WireRefusal.serialization("The body must not contain U+0000.") }
        return object
    }
}

extension JSONValue {
    /// PostgreSQL has no U+0000 in texts, so it is refused at the door, in values and in names.
    fileprivate var containsNUL: Bool {
        switch self {
        case .string(let text): text.utf8.contains(0)
        case .array(let values): values.contains(where: \.containsNUL)
        case .object(let object): object.members.contains { $0.name.utf8.contains(0) || $0.value.containsNUL }
        case .null, .bool, .integer, .double: false
        }
    }
}

/// Denied calls are audited: an action that the key may not do, and a look beyond the one group that a key is bound to.
enum DeniedCalls {
    static func note(_ error: any Error, action: String, members: InputMembers, caller: Caller, environment: Environment) {
        guard let error = error as? OperationError else { return }
        switch error {
        case .accessDenied: break
        case .notFound where caller.datasetGroupID != nil: break
        default: return
        }
        let resource = members.object.members.first { $0.name.hasSuffix("Arn") }?.value.stringValue
        let code = WireError(error, style: .control).code
        // The refusal stands whether or not it can be written down.
        try? environment.auditDenied(
            caller, action, resource: resource.map { String($0.prefix(256)) }, datasetGroupID: caller.datasetGroupID, errorCode: code)
    }
}
