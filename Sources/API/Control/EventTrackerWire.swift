import JSON
import Tastemaker

enum EventTrackerWire {
    static func create(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let tracker = try call.environment.createEventTracker(
            CreateEventTrackerInput(
                name: try call.required("name"), datasetGroupARN: try call.required("datasetGroupArn"), tags: try call.tags()),
            by: call.caller)
        out.member("eventTrackerArn", call.arn(.eventTracker, tracker.suffix))
        out.member("trackingId", tracker.trackingID)
    }

    static func describe(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let tracker = try call.environment.describeEventTracker(arn: call.required("eventTrackerArn"), by: call.caller)
        out.object("eventTracker") { out in
            head(tracker, call, &out)
            out.member("accountId", call.environment.installation.accountID)
            out.member("trackingId", tracker.trackingID)
            out.member("datasetGroupArn", call.arn(.datasetGroup, tracker.datasetGroupName))
        }
    }

    static func list(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let page = try call.environment.listEventTrackers(datasetGroupARN: call.optional("datasetGroupArn"), call.page(), by: call.caller)
        out.page("eventTrackers", page) { out, tracker in head(tracker, call, &out) }
    }

    static func delete(_ call: ControlCall, _ out: inout JSONWriter) throws {
        try call.environment.deleteEventTracker(arn: call.required("eventTrackerArn"), by: call.caller)
    }

    private static func head(_ tracker: EventTracker, _ call: ControlCall, _ out: inout JSONWriter) {
        out.member("name", tracker.name)
        out.member("eventTrackerArn", call.arn(.eventTracker, tracker.suffix))
        out.lifecycle(status: tracker.status.rawValue, created: tracker.createdAt, updated: tracker.updatedAt)
    }
}
