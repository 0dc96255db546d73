import JSON
import Tastemaker

/// One control-plane request, decoded as far as its members.
struct ControlCall {
    let environment: Environment
    let members: InputMembers
    let caller: Caller

    func required(_ name: String) throws(OperationError) -> String {
        try Check.required(try members.string(name), field: name)
    }

    func optional(_ name: String) throws(OperationError) -> String? {
        try members.string(name)
    }

    func page() throws(OperationError) -> PageRequest {
        try PageRequest(maxResults: members.int("maxResults"), nextToken: members.string("nextToken"))
    }

    func tags(_ name: String = "tags") throws(OperationError) -> [Tag] {
        var tags: [Tag] = []
        for entry in try members.list(name, count: 0...200) ?? [] {
            let key = try Check.required(try entry.string("tagKey"), field: entry.fullName("tagKey"))
            tags.append(Tag(key: key, value: try Check.required(try entry.string("tagValue"), field: entry.fullName("tagValue"))))
        }
        return tags
    }

    func arn(_ kind: ResourceARN.Kind, _ path: String) -> String {
        environment.arn(kind, path, for: caller)
    }
}

/// One operation of the control plane: reads its members, runs, writes the members of the answer.
struct ControlOperation: Sendable {
    let name: String
    let run: @Sendable (ControlCall, inout JSONWriter) throws -> Void

    init(_ name: String, _ run: @escaping @Sendable (ControlCall, inout JSONWriter) throws -> Void) {
        self.name = name
        self.run = run
    }
}
