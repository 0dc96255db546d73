import Foundation
import JSON
import Postgres
import Storage

/// Visitors for a shop that is open now: they ask the placements and send events over HTTP, as browsers with the tracker do. Bounded in
/// rate and time; nothing starts it but the command.
public struct DemoLiveSimulator: Sendable {
    public static let longestMinutes = 240
    public static let mostVisitsPerMinute = 120

    private let trackingID: String
    private let publicURL: String
    private let population: DemoPopulation
    private let client = HTTPClient(allowsPrivateAddresses: true, redirects: 0, sizeLimit: 1 << 20, connectSeconds: 5, totalSeconds: 15)

    public init(environment: Environment) throws(OperationError) {
        guard let group = try environment.demoGroup(), let tracker = try environment.eventTracker(ofGroup: group.id, by: .system) else {
            throw .notFound("The demo shop is not loaded. `tastemaker demo load` loads it.")
        }
        trackingID = tracker.trackingID
        publicURL = environment.settings.publicURL
        population = DemoPopulation(catalogue: .shipped, visitorCount: 400, days: 1)
    }

    /// Makes visits until the time is over or `isStopped` says so, and answers how many.
    public func run(minutes: Int, visitsPerMinute: Int, isStopped: () -> Bool) throws(OperationError) -> Int {
        try Check.range(minutes, 1...DemoLiveSimulator.longestMinutes, field: "minutes")
        try Check.range(visitsPerMinute, 1...DemoLiveSimulator.mostVisitsPerMinute, field: "visits per minute")
        var random = DemoRandom(seed: UInt64(Date().timeIntervalSince1970))
        let end = Date(timeIntervalSinceNow: Double(minutes) * 60)
        var visits = 0
        while Date() < end, !isStopped() {
            try visit(&random)
            visits += 1
            Thread.sleep(forTimeInterval: min(10, random.exponential(60 / Double(visitsPerMinute))))
        }
        return visits
    }

    private func visit(_ random: inout DemoRandom) throws(OperationError) {
        let visitor = population.visitors[random.index(population.visitors.count)]
        // Where known visitors come from is the simulation's affair; browsers are known by 32 hexadecimal digits.
        var digits = DemoRandom(seed: population.seed, "browser id", Int(visitor.id.dropFirst()) ?? 0)
        let browser = Hexadecimal.text(digits.next()) + Hexadecimal.text(digits.next())
        let home = try ask(DemoShop.forYou, browser: browser)
        let catalogue = population.behavior.catalogue
        let start = home.items.compactMap { catalogue.position(of: $0) }.first { visitor.interest(in: catalogue.products[$0].category) > 0 }
        var events: [JSONValue] = []
        if let start, let position = home.items.firstIndex(of: catalogue.products[start].id) {
            events.append(
                event("Product Clicked", ["product_id": .string(catalogue.products[start].id)], browser, &random, list: (home.id, position))
            )
        }
        let actions = population.behavior.visit(of: visitor, daysLeft: 0, start: start, mayBuy: true, &random)
        for action in actions where action.kind != .purchase {
            let product = catalogue.products[action.product]
            let properties: JSONObject = ["product_id": .string(product.id), "price": .double(Double(product.cents) / 100)]
            events.append(event(action.kind == .view ? "Product Viewed" : "Product Added", properties, browser, &random))
        }
        let bought = actions.filter { $0.kind == .purchase }.map { catalogue.products[$0.product] }
        if !bought.isEmpty { events.append(event("Order Completed", order(bought, &random), browser, &random)) }
        if !events.isEmpty { try send(events) }
    }

    private func order(_ products: [DemoProduct], _ random: inout DemoRandom) -> JSONObject {
        [
            "order_id": .string("live-" + Hexadecimal.text(random.next())), "currency": .string(DemoShop.currency),
            "products": .array(
                products.map {
                    ["product_id": .string($0.id), "price": .double(Double($0.cents) / 100), "quantity": .integer(1)]
                }),
        ]
    }

    private func event(
        _ name: String, _ properties: JSONObject, _ browser: String, _ random: inout DemoRandom, list: (id: String, position: Int)? = nil
    ) -> JSONValue {
        var context: JSONObject = ["consent": "granted", "library": ["name": "demo-simulator", "version": "1"]]
        if let list {
            context["rec"] = ["id": .string(list.id), "placement": .string(DemoShop.forYou), "position": .integer(Int64(list.position))]
        }
        return [
            "type": "track", "event": .string(name),
            "messageId": .string(Hexadecimal.text(random.next()) + Hexadecimal.text(random.next())),
            "timestamp": .string(DemoLiveSimulator.now()), "anonymousId": .string(browser), "properties": .object(properties),
            "context": .object(context),
        ]
    }

    private static func now() -> String { LocalTime.machine(.now) }

    private func ask(_ placement: String, browser: String) throws(OperationError) -> (id: String, items: [String]) {
        let url = "\(publicURL)/v1/placements/\(placement)/recommendations?key=\(trackingID)&anonymousId=\(browser)&count=8"
        let answer = try exchange(HTTPRequest(url: url, headers: [("Origin", publicURL)]))
        guard let body = try? JSONValue(parsing: answer), let id = body["recommendationId"]?.stringValue else {
            throw .unavailable("\(url) did not answer with a list.")
        }
        return (id, body["items"]?.arrayValue?.compactMap { $0["itemId"]?.stringValue } ?? [])
    }

    private func send(_ events: [JSONValue]) throws(OperationError) {
        let body: JSONValue = ["key": .string(trackingID), "sentAt": .string(DemoLiveSimulator.now()), "batch": .array(events)]
        let headers = [("Origin", publicURL), ("Content-Type", "text/plain")]
        _ = try exchange(HTTPRequest(method: "POST", url: "\(publicURL)/e", headers: headers, body: .bytes(body.serialized())))
    }

    private func exchange(_ request: HTTPRequest) throws(OperationError) -> [UInt8] {
        var body: [UInt8] = []
        do {
            let response = try client.send(request) { body += $0 }
            guard (200..<300).contains(response.status) else {
                throw OperationError.unavailable(
                    "\(request.url) answered \(response.status): \(String(decoding: response.errorBody.prefix(200), as: UTF8.self))")
            }
        } catch let error as OperationError { throw error } catch { throw .unavailable("\(request.url): \(error)") }
        return body
    }
}

private enum Hexadecimal {
    static func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
