import Crypto
import JSON
import Tastemaker
import Web

/// One request to the demo shop: its dataset group and tracker, and the browser's visitor, cart and choice.
struct DemoVisit {
    let visit: Visit
    let group: DatasetGroup
    let tracker: EventTracker
    var catalogue: DemoCatalogue { DemoCatalogue.shipped }
    let cart: DemoCart
    /// The id that tracker and shop share in a cookie; nil until the visitor agreed to it.
    let anonymousID: String?

    /// The tracker's first-party cookie: 32 hexadecimal digits.
    static let visitorCookie = "tm_id"
    static let consentCookie = "demo_consent"

    init(_ visit: Visit, _ group: DatasetGroup, _ tracker: EventTracker) {
        self.visit = visit
        self.group = group
        self.tracker = tracker
        cart = DemoCart(cookie: visit.request.cookie(DemoCart.cookie), DemoCatalogue.shipped)
        let cookie = visit.request.cookie(DemoVisit.visitorCookie)
        anonymousID = cookie.flatMap { DemoVisit.isID($0) ? $0 : nil }
    }

    /// The request within the shop; says that there is none when it is not loaded.
    static func answer(_ visit: Visit, _ handler: (DemoVisit) throws -> Response) throws -> Response {
        guard let group = try visit.environment.demoGroup(),
            let tracker = try visit.environment.eventTracker(ofGroup: group.id, by: .system)
        else { return try DemoPages.absent(visit) }
        return try handler(DemoVisit(visit, group, tracker))
    }

    var format: PageFormat { PageFormat(group) }

    static func isID(_ text: String) -> Bool {
        text.utf8.count == 32 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// A page in the shop's frame. `department`: the one to mark; `viewing`: the product of a product page.
    func render(_ template: String, _ model: ViewModel, department: String? = nil, viewing: String? = nil) throws -> Response {
        let headers = SecurityHeaders(isSecure: visit.shared.isSecure)
        var frame: ViewModel = [
            "nonce": .text(headers.nonce), "snippet": .html(snippet(headers.nonce)), "viewing": .text(viewing ?? ""),
            "departments": .list(
                DemoDepartment.all.map {
                    ["name": .text($0.name), "url": .url(.demoDepartment($0.name)), "isCurrent": .bool($0.name == department)]
                }),
            "cartURL": .url(.demoCart), "cartCount": .number(cart.count), "csrf": .text(visit.csrfToken),
            "asksConsent": .bool(anonymousID == nil && visit.request.cookie(DemoVisit.consentCookie) == nil),
            "consentURL": .url(.demoConsent), "forgetURL": .url(.demoVisitor), "hasVisitor": .bool(anonymousID != nil),
            "buyURL": .url(.demoOrder),
        ]
        frame = frame.merging(model)
        return try visit.renderAlone(template, frame, headers)
    }

    /// Leads on to a page, or answers a script with nothing but its cookies.
    func redirect(to url: URLValue, setting cookies: (name: String, value: String, maxAge: Int?)...) -> Response {
        var response = visit.request.header("Accept", is: "application/json") ? visit.json([]) : visit.redirect(to: url)
        if visit.request.header("Accept", is: "application/json") { response.status = .noContent }
        for entry in cookies { set(entry.name, entry.value, maxAge: entry.maxAge, &response) }
        return response
    }

    /// The visitor's cookie is the tracker's, so scripts may read it; the others are the shop's own.
    func set(_ name: String, _ value: String, maxAge: Int?, _ response: inout Response) {
        guard var cookie = Cookie(name: name, value: value, isSecure: visit.shared.isSecure, maxAge: maxAge) else { return }
        cookie.isHTTPOnly = name != DemoVisit.visitorCookie
        response.setCookie(cookie)
    }

    /// The snippet as the tracker's page prints it, with this page's nonce. Key and address hold nothing that escaping would change.
    private func snippet(_ nonce: String) -> HTML {
        var writer = MarkupWriter(reserving: 900)
        writer.markup("<script nonce=\"")
        writer.text(nonce)
        writer.markup(
            """
            ">!function(w,t,q){t=w.tm=w.tm||{q:q=[]};q&&"load page track identify reset consent flush ready on recommend refresh render impression click addToCart purchase".split(" ").map(function(m){t[m]=function(){var a=arguments;return new Promise(function(r){q.push([m,a,r])})}})}(window);
            tm.load("
            """)
        writer.text(tracker.trackingID)
        writer.markup("\",{endpoint:\"")
        writer.text(visit.environment.settings.publicURL)
        // Who agreed without scripts did agree.
        let hasAgreed = anonymousID != nil && visit.request.cookie(DemoVisit.consentCookie) == "granted"
        writer.markup(hasAgreed ? "\",consent:\"granted\"" : "\",consent:\"pending\"")
        writer.markup(",cookie:\"first-party\"})</script>\n<script async src=\"/tracker.js\" nonce=\"")
        writer.text(nonce)
        writer.markup("\"></script>")
        return writer.html
    }

    /// An event for browsers without scripts, as an image; nil without a visitor.
    func pixel(_ event: String, _ properties: [(String, String)]) -> URLValue? {
        guard let anonymousID else { return nil }
        return URLValue(
            path: ["e.gif"],
            query: [
                ("key", tracker.trackingID), ("type", "track"), ("event", event), ("messageId", SecureRandom.token(.base64URL, length: 24)),
                ("anonymousId", anonymousID), ("consent", "granted"),
            ] + properties)
    }
}

/// The departments of the shop in the order of their first category.
struct DemoDepartment {
    let name: String
    /// Positions in `DemoCategory.all`.
    let categories: [Int]

    static let all: [DemoDepartment] = {
        var names: [String] = []
        for category in DemoCategory.all where !names.contains(category.department) { names.append(category.department) }
        return names.map { name in
            DemoDepartment(name: name, categories: DemoCategory.all.indices.filter { DemoCategory.all[$0].department == name })
        }
    }()
}
