import JSON
import Tastemaker
import Web

/// The restJson1 door for events and single records.
enum EventRoutes {
    static let all: [APIRoute] =
        APIRoutes.prefixed("/events", name: "PutEvents", handler: putEvents)
        + APIRoutes.prefixed("/items", name: "PutItems") { context, request in
            try record(&context, request, "PutItems") { try $0.putItems($1, by: $2) }
        }
        + APIRoutes.prefixed("/users", name: "PutUsers") { context, request in
            try record(&context, request, "PutUsers") { try $0.putUsers($1, by: $2) }
        }
        + APIRoutes.prefixed("/actions", name: "PutActions") { context, request in
            try record(&context, request, "PutActions") { try $0.putActions($1, by: $2) }
        }
        + APIRoutes.prefixed("/action-interactions", name: "PutActionInteractions", handler: putActionInteractions)

    private static func putEvents(_ context: inout APIContext, _ request: Request) throws -> Response {
        let caller = try context.requireCaller()
        let members = InputMembers(try WireBody.unpackedObject(request))
        let trackingID = try Check.required(try members.string("trackingId", length: 1...256), field: "trackingId")
        // A key that is bound to another group learns no more than that the id is not known to it.
        guard let door = try context.services.events.doors.open(trackingID),
            caller.datasetGroupID == nil || caller.datasetGroupID == door.datasetGroupID
        else { throw OperationError.invalidInput("The trackingId \(trackingID) is not known.", field: "trackingId") }
        let events = try context.environment.eventsOfPutEvents(members, door: door)
        try requireAccepted(append(events, context.services), field: "eventList")
        return done
    }

    private static func putActionInteractions(_ context: inout APIContext, _ request: Request) throws -> Response {
        let caller = try context.requireCaller()
        let members = InputMembers(try WireBody.unpackedObject(request))
        let trackingID = try Check.required(try members.string("trackingId", length: 1...256), field: "trackingId")
        guard let door = try context.services.events.doors.openActions(trackingID),
            caller.datasetGroupID == nil || caller.datasetGroupID == door.datasetGroupID
        else {
            throw OperationError.invalidInput(
                "The trackingId \(trackingID) is not that of an Action interactions dataset.", field: "trackingId")
        }
        let events = try context.environment.eventsOfPutActionInteractions(members, door: door)
        try requireAccepted(append(events, context.services), field: "actionInteractions")
        return done
    }

    private static func requireAccepted(_ outcomes: [EventOutcome], field: String) throws {
        for case .rejected(let reason) in outcomes { throw OperationError.invalidInput(reason, field: field) }
    }

    private static func record(
        _ context: inout APIContext, _ request: Request, _ action: String,
        _ store: (Environment, InputMembers, Caller) throws -> Void
    ) throws -> Response {
        let caller = try context.requireCaller()
        let members = InputMembers(try WireBody.object(request))
        try context.environment.requireRoom()
        do {
            try store(context.environment, members, caller)
        } catch {
            DeniedCalls.note(error, action: action, members: members, caller: caller, environment: context.environment)
            throw error
        }
        return done
    }

    /// A full queue asks the client to slow down: nothing was wrong with the request.
    static func append(_ events: [NewEvent], _ services: Services) throws -> [EventOutcome] {
        try services.environment.requireRoom()
        do throws(OperationError) {
            return try services.events.append(events)
        } catch {
            guard case .limitExceeded(let message) = error else { throw error }
            throw HTTPError(.tooManyRequests, code: "ThrottlingException", message: message, retryAfter: 1)
        }
    }

    private static var done: Response { Response(.ok, contentType: WireStyle.rest.contentType, body: Array("{}".utf8)) }
}
