public import Tastemaker
import Web

/// What a worker thread has at hand for each request, and who is asking just now.
public struct ConsoleContext: Sendable {
    public let services: Services
    let shared: ConsoleShared
    /// Set by the gate, before any handler runs.
    var session: Session?
    var sessionToken: String?

    init(services: Services, shared: ConsoleShared) {
        self.services = services
        self.shared = shared
    }
}

/// What all threads share: templates and the keys of forms and messages.
struct ConsoleShared: Sendable {
    let templates: TemplateLibrary
    let csrf: CSRF
    let flashKey: [UInt8]
    let version: String
    /// From the public URL: browsers drop Secure cookies on plain http.
    let isSecure: Bool

    init(environment: Environment, templates: TemplateLibrary, version: String) {
        self.templates = templates
        self.version = version
        csrf = CSRF(key: environment.sealer.derivedKey("csrf"))
        flashKey = environment.sealer.derivedKey("console-flash")
        isSecure = environment.settings.publicURL.hasPrefix("https://")
    }

    /// With the prefix by which browsers take the cookie from this host alone and over TLS alone, where there is TLS.
    func cookieName(_ name: String) -> String { isSecure ? "__Host-" + name : name }
}
