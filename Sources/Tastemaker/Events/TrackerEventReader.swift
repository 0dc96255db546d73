import Foundation
import JSON
import Postgres

/// Reads one event of the tracker: checks, time, identity, and the interactions that it stands for.
struct TrackerEventReader {
    let door: EventDoor
    let delivery: TrackerBatch.Delivery
    let sentAt: PGTimestamp?
    let index: Int

    static let productLimit = 100

    func entry(_ value: JSONValue) -> TrackerBatch.Entry {
        guard let object = value.objectValue else { return refused(JSONObject(), nil, "The event is not an object.") }
        let messageID = object["messageId"]?.stringValue
        do throws(OperationError) {
            return TrackerBatch.Entry(messageID: messageID, events: try events(object))
        } catch {
            return refused(object, messageID, error.message)
        }
    }

    private func refused(_ object: JSONObject, _ messageID: String?, _ reason: String) -> TrackerBatch.Entry {
        TrackerBatch.Entry(messageID: messageID.map(short), events: [refusal(of: object, reason)], refusal: reason)
    }

    /// A refused event names no person: what it was and why.
    func refusal(of object: JSONObject, _ reason: String) -> NewEvent {
        var event = NewEvent(
            datasetGroupID: door.datasetGroupID, source: .tracker, userID: "", visitorID: "",
            eventType: short(object["event"]?.stringValue ?? object["type"]?.stringValue ?? ""), occurredAt: delivery.receivedAt)
        event.kind = .refused(reason: reason)
        event.origin = delivery.origin
        event.raw = ["type": .string(short(object["type"]?.stringValue ?? ""))]
        return event
    }

    private func short(_ text: String) -> String { String(String.UnicodeScalarView(text.unicodeScalars.prefix(100))) }

    private func events(_ object: JSONObject) throws(OperationError) -> [NewEvent] {
        let members = InputMembers(object)
        try requireSize(object)
        try requireConsent(object)
        guard door.isOpen else { throw .invalidInput(EventDoor.closedReason) }
        let type = try members.string("type") ?? "track"
        let base = try self.base(members, type: type)
        switch type {
        case "track": return try tracked(try Check.required(members.string("event", length: 1...256), field: "event"), base, members)
        case "page", "screen": return try page(base, members)
        case "identify": return [try identified(base, members)]
        case "alias", "group": return [record(base)]
        default: throw .invalidInput("'type' must be track, page, screen, identify, alias or group.", field: "type")
        }
    }

    private func requireSize(_ object: JSONObject) throws(OperationError) {
        if JSONValue.object(object).serialized().count > TrackerBatch.eventByteLimit {
            throw .invalidInput("The event has more than 32 KB.")
        }
    }

    /// Nothing of a person who refused, or was not yet asked, is stored; a site may hold a consent against the browser's signal.
    private func requireConsent(_ object: JSONObject) throws(OperationError) {
        let context = object["context"]
        let consent = context?["consent"]?.stringValue
        if consent == "denied" || consent == "pending" { throw .invalidInput("The visitor has not consented.") }
        let signal = delivery.refusesTracking || context?["gpc"]?.boolValue == true
        if signal, consent != "granted" { throw .invalidInput("The browser refuses tracking (Global Privacy Control).") }
    }

    // MARK: Identity and time

    private func base(_ members: InputMembers, type: String) throws(OperationError) -> NewEvent {
        let person = try person(members, type: type)
        var event = NewEvent(
            datasetGroupID: door.datasetGroupID, source: .tracker, userID: person.user, visitorID: person.visitor, eventType: type,
            occurredAt: try time(members))
        let messageID = try members.string("messageId", length: 1...100)
        event.clientID = messageID ?? "request:\(delivery.requestID):\(index)"
        event.origin = delivery.origin
        event.joinsVisitor = person.isJoined
        event.raw = raw(members, type: type)
        return event
    }

    /// The claimed user and the visitor. A claim is believed for writing only; the ids are joined only if the site signed the user's.
    private func person(_ members: InputMembers, type: String) throws(OperationError) -> (user: String, visitor: String, isJoined: Bool) {
        var anonymous: String?
        if let id = try members.string("anonymousId") { anonymous = try AnonymousID.externalID(id) }
        let user = try members.string("userId", length: 1...256)
        if let user, AnonymousID.isAnonymous(user) {
            throw .invalidInput("'userId' must not begin with '\(AnonymousID.prefix)'.", field: "userId")
        }
        guard let visitor = anonymous ?? user else {
            throw .invalidInput("An event needs an anonymousId or a userId.", field: "anonymousId")
        }
        guard let user, anonymous != nil else { return (user ?? visitor, visitor, false) }
        let signature = try members.string("userSignature")
        let names = type == "identify" || type == "alias"
        return (user, visitor, names && door.isSigned(user, signature: signature))
    }

    private func time(_ members: InputMembers) throws(OperationError) -> PGTimestamp {
        guard let given = members.value("timestamp") else { return delivery.receivedAt }
        guard let timestamp = EventTime.parse(given) else {
            throw .invalidInput("'timestamp' must be epoch seconds, epoch milliseconds or ISO 8601.", field: "timestamp")
        }
        let time = EventTime.corrected(timestamp, sentAt: sentAt, receivedAt: delivery.receivedAt)
        guard delivery.receivedAt.microseconds - time.microseconds <= EventTime.ageLimit else {
            throw .invalidInput("The event is more than 8 days old. Import older interactions from a file.", field: "timestamp")
        }
        return time
    }

    /// What was sent, but for ids and what the browser is: so that an erased user's events hold nothing of him.
    private func raw(_ members: InputMembers, type: String) -> JSONObject {
        var raw: JSONObject = ["type": .string(type)]
        raw["event"] = members.object["event"]
        if type == "track" || type == "page" || type == "screen" { raw["properties"] = members.object["properties"] }
        let context = members.object["context"]
        raw["rec"] = context?["rec"]
        raw["path"] = context?["page"]?["path"]
        return raw
    }

    // MARK: Interactions

    private func record(_ base: NewEvent) -> NewEvent {
        var event = base
        event.kind = .record
        return event
    }

    /// A page is a view if it names its item.
    private func page(_ base: NewEvent, _ members: InputMembers) throws(OperationError) -> [NewEvent] {
        guard let properties = try members.members("properties"), let item = try TrackedProduct(properties).itemID else {
            return [record(base)]
        }
        var event = base
        event.eventType = "View"
        event.itemID = item
        return [event]
    }

    private func tracked(_ name: String, _ base: NewEvent, _ members: InputMembers) throws(OperationError) -> [NewEvent] {
        let properties = try members.members("properties") ?? InputMembers(JSONObject(), path: "properties")
        var event = base
        let rec = members.object["context"]?["rec"]
        let recommendationID = try recommendationID(properties)
        event.recommendationID = recommendationID ?? rec?["id"]?.stringValue
        switch EventName.meaning(of: name) {
        case .interaction(let type):
            event.eventType = type
            return try interactions(event, properties)
        case .order(let type):
            event.eventType = type
            return try order(event, properties, isRefund: false)
        case .refund(let type):
            event.eventType = type
            return try order(event, properties, isRefund: true)
        case .impression: return try impressions(event, properties, position: rec?["position"]?.intValue)
        }
    }

    private func recommendationID(_ properties: InputMembers) throws(OperationError) -> String? {
        for name in ["recommendationId", "recommendation_id", "attributionToken"] {
            if let text = try properties.string(name) { return text }
        }
        return nil
    }

    /// The products of a list, or the properties themselves as one.
    private func products(_ properties: InputMembers) throws(OperationError) -> [TrackedProduct] {
        for name in ["products", "items"] {
            guard let list = try properties.list(name, count: 0...TrackerEventReader.productLimit), !list.isEmpty else { continue }
            var products: [TrackedProduct] = []
            for product in list { products.append(try TrackedProduct(product)) }
            return products
        }
        return [try TrackedProduct(properties)]
    }

    private func interactions(_ base: NewEvent, _ properties: InputMembers) throws(OperationError) -> [NewEvent] {
        try products(properties).enumerated().map { position, product in
            var event = base
            if position > 0 { event.clientID = base.clientID.map { "\($0)#\(position)" } }
            event.itemID = product.itemID
            event.value = product.amount?.float
            event.properties = door.columns(of: product.properties)
            if position > 0 { event.raw = nil }
            return event
        }
    }

    private func order(_ base: NewEvent, _ properties: InputMembers, isRefund: Bool) throws(OperationError) -> [NewEvent] {
        let orderID = try TrackedProduct.text(properties, ["order_id", "orderId", "transaction_id", "transactionId"])
        if let orderID { try Check.length(orderID, 1...256, field: "properties.order_id") }
        let currency = Money.currency(properties.object["currency"])
        var seen: [String: Int] = [:]
        return try products(properties).enumerated().map { position, product in
            var event = base
            if position > 0 { event.clientID = base.clientID.map { "\($0)#\(position)" } }
            event.itemID = product.itemID
            event.orderID = orderID
            if !isRefund, orderID != nil, let line = product.lineID ?? product.itemID {
                seen[line, default: 0] += 1
                event.orderLine = "\(line)#\(seen[line] ?? 1)"
            }
            let amount = isRefund ? product.amount?.negative : product.amount
            event.amount = amount?.text
            event.value = amount?.float
            event.currency = product.currency ?? currency
            if position > 0 { event.raw = nil }
            return event
        }
    }

    private func impressions(_ base: NewEvent, _ properties: InputMembers, position: Int64?) throws(OperationError) -> [NewEvent] {
        let products = try products(properties).filter { $0.itemID != nil }
        guard !products.isEmpty else { throw .invalidInput("An impression names its item as product_id.", field: "properties.product_id") }
        return products.enumerated().map { offset, product in
            var event = base
            if offset > 0 { event.clientID = base.clientID.map { "\($0)#\(offset)" } }
            event.kind = .impression(position: Int16(exactly: (position ?? 0) + Int64(offset)))
            event.itemID = product.itemID
            event.raw = nil
            return event
        }
    }
}

/// A product as shops describe it in an event.
struct TrackedProduct {
    var itemID: String?
    var lineID: String?
    /// Price × quantity, else the price, else what the event calls its value.
    var amount: Money?
    var currency: String?
    /// All of them, as they came.
    var properties: JSONObject

    private static let itemNames = ["product_id", "productId", "item_id", "itemId", "$productId", "sku", "id"]

    init(_ members: InputMembers) throws(OperationError) {
        itemID = try TrackedProduct.text(members, TrackedProduct.itemNames)
        if let itemID { try Check.externalID(itemID, field: members.fullName("product_id")) }
        lineID = try TrackedProduct.text(members, ["line_id", "lineId", "line_item_id"])
        if let lineID { try Check.length(lineID, 1...256, field: members.fullName("line_id")) }
        let price = try TrackedProduct.money(members, ["price"])
        let quantity = try TrackedProduct.money(members, ["quantity", "qty"])
        if let price, let quantity {
            amount = price.times(quantity)
        } else {
            let value = try TrackedProduct.money(members, ["value", "revenue", "total"])
            amount = price ?? value
        }
        currency = Money.currency(members.object["currency"])
        properties = members.object
    }

    /// The first of some names that has a value; a number is taken as its text.
    static func text(_ members: InputMembers, _ names: [String]) throws(OperationError) -> String? {
        for name in names {
            switch members.value(name) {
            case .string(let text) where !text.isEmpty: return text
            case .integer(let number): return String(number)
            case .double(let number): return number == number.rounded() ? String(format: "%.0f", number) : "\(number)"
            case nil, .string: continue
            default: throw .invalidInput("'\(members.fullName(name))' must be a string or a number.", field: members.fullName(name))
            }
        }
        return nil
    }

    private static func money(_ members: InputMembers, _ names: [String]) throws(OperationError) -> Money? {
        for name in names {
            guard let value = members.value(name) else { continue }
            guard let money = Money(value) else {
                throw .invalidInput(
                    "'\(members.fullName(name))' must be a number of at most \(Money.limit).", field: members.fullName(name))
            }
            return money
        }
        return nil
    }
}
