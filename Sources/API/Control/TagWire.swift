import JSON
import Tastemaker

enum TagWire {
    static func list(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let tags = try call.environment.listTags(arn: call.required("resourceArn"), by: call.caller)
        out.list("tags", tags) { out, tag in
            out.member("tagKey", tag.key)
            out.member("tagValue", tag.value)
        }
    }

    static func tag(_ call: ControlCall, _ out: inout JSONWriter) throws {
        _ = try Check.required(try call.members.array("tags"), field: "tags")
        try call.environment.tagResource(arn: call.required("resourceArn"), tags: call.tags(), by: call.caller)
    }

    static func untag(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let keys = try Check.required(try call.members.strings("tagKeys"), field: "tagKeys")
        try call.environment.untagResource(arn: call.required("resourceArn"), keys: keys, by: call.caller)
    }
}
