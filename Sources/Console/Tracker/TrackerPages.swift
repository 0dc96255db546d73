import Crypto
import JSON
import Tastemaker
import Web

extension ConsoleRoutes {
    static let tracker: [ConsoleRoute] = [
        .group(.get, "/tracker", .viewOperation) { visit, group in try TrackerPages.show(visit, group, FormState()) },
        .group(.post, "/tracker", .operators, TrackerPages.create),
        .group(.post, "/tracker/origins", .operators, TrackerPages.setOrigins),
        .group(.post, "/tracker/allow", .operators, TrackerPages.allowOrigin),
        .group(.post, "/tracker/secret", .operators, TrackerPages.revealSecret),
        .group(.post, "/tracker/new-secret", .operators, TrackerPages.rotateSecret),
    ]
}

enum TrackerPages {
    static func show(_ visit: Visit, _ group: DatasetGroup, _ state: FormState, secret: String? = nil) throws -> Response {
        guard let tracker = try visit.environment.eventTracker(ofGroup: group.id, by: visit.caller) else {
            return try visit.render(
                "tracker/none",
                ["canChange": .bool(visit.may(.operators)), "actionURL": .url(.tracker(group)), "problem": state.otherError(besides: [])])
        }
        let newest = try visit.environment.listReceivedEvents(datasetGroupID: group.id, refused: false, by: visit.caller)
        let refused = try visit.environment.listReceivedEvents(datasetGroupID: group.id, refused: true, by: visit.caller)
        let format = PageFormat(group)
        return try visit.render(
            "tracker/show",
            texts(visit, tracker).merging([
                "canChange": .bool(visit.may(.operators)), "key": .text(tracker.trackingID), "isWaiting": .bool(newest.isEmpty),
                "events": .list(newest.map { event($0, format) }), "hasRefused": .bool(!refused.isEmpty),
                "refused": .list(refused.map { refusal($0, tracker, format) }),
                "origins": state.field("origins", default: tracker.origins.joined(separator: "\n")),
                "hasOrigins": .bool(!tracker.origins.isEmpty),
                "problem": state.otherError(besides: ["origins"]), "secret": .text(secret),
                "originsURL": .url(.page(group, "tracker", "origins")), "allowURL": .url(.page(group, "tracker", "allow")),
                "secretURL": .url(.page(group, "tracker", "secret")), "newSecretURL": .url(.page(group, "tracker", "new-secret")),
            ]))
    }

    /// What the site's developer copies.
    private static func texts(_ visit: Visit, _ tracker: EventTracker) -> ViewModel {
        let endpoint = visit.environment.settings.publicURL
        let snippet = TrackerSnippet.inline(trackingID: "\(tracker.trackingID)", endpoint: endpoint)
        let noInline = TrackerSnippet.external(trackingID: "\(tracker.trackingID)", endpoint: endpoint)
        let events = """
            tm.consent("granted")
            tm.track("Product Viewed", {product_id: "SKU-1"})
            tm.track("Order Completed", {order_id: "1001", currency: "EUR", products: [{product_id: "SKU-1", price: 19.9, quantity: 2}]})
            """
        let curl = """
            curl \(endpoint)/e -H 'Content-Type: application/json' -d '{
              "key": "\(tracker.trackingID)",
              "batch": [{"type": "track", "event": "Product Viewed", "messageId": "a-unique-id",
                         "anonymousId": "visitor-1", "properties": {"product_id": "SKU-1"}}]
            }'
            """
        let signing = """
            // On the site's server, in Node:
            const signature = crypto.createHmac("sha256", SECRET).update(userId).digest("hex")
            // In the page:
            tm.identify(userId, {}, {signature})
            """
        return [
            "snippet": .text(snippet), "noInlineSnippet": .text(noInline),
            "box": "<div data-tm-placement=\"home-for-you\">…what is shown until then…</div>", "eventCalls": .text(events),
            "curl": .text(curl),
            "signing": .text(signing),
        ]
    }

    private static func event(_ event: ReceivedEvent, _ format: PageFormat) -> ViewModel {
        [
            "receivedAt": format.moment(event.receivedAt), "event": .text(event.event ?? "–"), "source": .text(event.source),
            "origin": .text(event.origin ?? "–"), "item": .text(item(of: event.body) ?? "–"),
        ]
    }

    private static func item(of body: JSONValue) -> String? {
        let properties = body["properties"] ?? body
        for name in ["product_id", "item_id", "itemId"] {
            if let id = properties[name]?.stringValue { return id }
        }
        return properties["products"]?.arrayValue?.first?["product_id"]?.stringValue
    }

    private static func refusal(_ event: ReceivedEvent, _ tracker: EventTracker, _ format: PageFormat) -> ViewModel {
        let isForeign = event.origin.map { origin in !tracker.origins.contains { $0.utf8.elementsEqual(origin.utf8) } } ?? false
        return self.event(event, format).merging([
            "reason": .text(event.rejectedReason ?? ""), "originToAllow": isForeign ? .text(event.origin) : false,
        ])
    }

    static func create(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        try visit.submit { _ in
            try makeRoomForEvents(visit, group)
            let name = String((group.name + "-tracker").prefix(63))
            _ = try visit.environment.createEventTracker(
                CreateEventTrackerInput(name: name, datasetGroupARN: visit.arn(.datasetGroup, group.name)), by: visit.caller)
            return visit.redirect(to: .tracker(group), .good("The tracker is there. Paste the snippet into the site."))
        } orShow: {
            try show(visit, group, $0)
        }
    }

    /// Events are refused where there is nothing to store them in; a group that has only a catalogue gets the usual dataset.
    private static func makeRoomForEvents(_ visit: Visit, _ group: DatasetGroup) throws {
        let datasets = try visit.environment.listDatasets(
            datasetGroupARN: visit.arn(.datasetGroup, group.name), PageRequest(), by: visit.accountCaller
        ).items
        guard !datasets.contains(where: { $0.type == .interactions }) else { return }
        let name = "\(group.name.prefix(40))-interactions-\(Hex.encode(SecureRandom.bytes(4)))"
        let schema = try visit.environment.createSchema(
            CreateSchemaInput(name: name, body: usualInteractions, domain: group.domain), by: visit.accountCaller)
        _ = try visit.environment.createDataset(
            CreateDatasetInput(
                name: String("\(group.name.prefix(50))-interactions".prefix(63)), schemaARN: visit.arn(.schema, schema.name),
                datasetGroupARN: visit.arn(.datasetGroup, group.name), datasetType: DatasetType.interactions.rawValue),
            by: visit.accountCaller)
    }

    private static let usualInteractions = """
        {"type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "version": "1.0", "fields": [
        {"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"}, {"name": "EVENT_TYPE", "type": "string"}]}
        """

    static func setOrigins(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let tracker = try find(visit, group)
        return try visit.submit { form in
            let origins = (form["origins"] ?? "").split(whereSeparator: { $0 == "\n" || $0 == "\r\n" || $0 == "," || $0 == " " }).map(
                String.init)
            _ = try visit.environment.updateEventTrackerOrigins(id: tracker.id, origins: origins, by: visit.caller)
            return visit.redirect(to: .tracker(group), .good("Browsers may send from these origins, in two seconds at the latest."))
        } orShow: {
            try show(visit, group, $0)
        }
    }

    static func allowOrigin(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let tracker = try find(visit, group)
        return try visit.submit { form in
            guard let origin = form.text("origin") else { throw OperationError.invalidInput("No origin was given.") }
            if !tracker.origins.contains(where: { $0.utf8.elementsEqual(origin.utf8) }) {
                _ = try visit.environment.updateEventTrackerOrigins(id: tracker.id, origins: tracker.origins + [origin], by: visit.caller)
            }
            return visit.redirect(to: .tracker(group), .good("Events from \(origin) are accepted, in two seconds at the latest."))
        } orShow: {
            try show(visit, group, $0)
        }
    }

    /// The answer to a form, so that the secret stands in no address and no cookie.
    static func revealSecret(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let secret = try visit.environment.revealEventTrackerSecret(id: find(visit, group).id, by: visit.caller)
        return try show(visit, group, FormState(), secret: secret)
    }

    static func rotateSecret(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        try visit.environment.rotateEventTrackerSecret(id: find(visit, group).id, by: visit.caller)
        return visit.redirect(to: .tracker(group), .good("There is a new secret; signatures made with the old one end now."))
    }

    private static func find(_ visit: Visit, _ group: DatasetGroup) throws -> EventTracker {
        guard let tracker = try visit.environment.eventTracker(ofGroup: group.id, by: visit.caller) else {
            throw OperationError.notFound("The dataset group has no tracker.")
        }
        return tracker
    }
}

/// The line of Public/tracker.stub.js, as the snippet carries it; a test compares them.
enum TrackerStub {
    static let text =
        #"!function(w,t,q){t=w.tm=w.tm||{q:q=[]};q&&"load page track identify reset consent flush ready on recommend refresh render impression click addToCart purchase".split(" ").map(function(m){t[m]=function(){var a=arguments;return new Promise(function(r){q.push([m,a,r])})}})}(window);"#
}
