import Tastemaker
import Web

/// Where a browser's request comes from, and whether the tracker takes it.
struct TrackerOrigin {
    /// As the browser sent it; nil outside browsers.
    let text: String?
    private let isOwn: Bool

    init(_ request: Request, publicURL: String) {
        text = request.header("Origin").map { String($0.prefix(255)) }
        let own = "\(request.scheme)://\(request.host)"
        isOwn = text.map { Self.equal($0, own) || Self.equal($0, Self.origin(of: publicURL)) } ?? false
    }

    /// Servers and images send no origin. Pages of the product itself, such as the demo shop, need not be listed.
    func isAllowed(_ door: EventDoor) -> Bool {
        guard let text else { return true }
        return isOwn || door.origins.contains { Self.equal($0, text) }
    }

    /// Lets the page read the answer, also a refusal: it could not tell it from a broken line, and would send for ever.
    func allowReading(_ response: inout Response) {
        guard let text else { return }
        response.setHeader("Access-Control-Allow-Origin", text)
        response.setHeader("Access-Control-Expose-Headers", "Retry-After, x-amzn-RequestId, x-amzn-ErrorType")
        response.setHeader("Vary", "Origin")
    }

    /// Scheme, host and port of a URL; a default port is left away, as browsers do.
    private static func origin(of url: String) -> String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return url }
        var origin = "\(parts[0])//\(parts[2])".lowercased()
        for (scheme, port) in [("http:", ":80"), ("https:", ":443")] where parts[0] == scheme && origin.hasSuffix(port) {
            origin.removeLast(port.utf8.count)
        }
        return origin
    }

    private static func equal(_ first: String, _ second: String) -> Bool { first.utf8.elementsEqual(second.utf8) }
}
