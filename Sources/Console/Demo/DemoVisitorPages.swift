import Crypto
import Tastemaker
import Web

/// What a visitor decides about himself: to be remembered, to be another, to be forgotten.
enum DemoVisitorPages {
    /// The banner's answer, for browsers without scripts; with scripts the tracker keeps it.
    static func consent(_ demo: DemoVisit) throws -> Response {
        guard try demo.visit.form()["choice"] == "granted" else {
            return demo.redirect(to: .demo, setting: (DemoVisit.consentCookie, "denied", 86_400), (DemoVisit.visitorCookie, "", 0))
        }
        return demo.redirect(
            to: .demo, setting: (DemoVisit.consentCookie, "granted", 86_400),
            (DemoVisit.visitorCookie, Hex.encode(SecureRandom.bytes(16)), 86_400))
    }

    /// Becomes another visitor; `forget` erases the one that was, by the product's own operation. The id is the browser's own secret: who
    /// knows it may erase what was stored under it.
    static func leave(_ demo: DemoVisit) throws -> Response {
        let form = try demo.visit.form()
        let id = form["anonymousId"] ?? demo.anonymousID
        if form["choice"] == "forget", let id, DemoVisit.isID(id) { try erase(id, demo) }
        return demo.redirect(to: .demo, setting: (DemoVisit.visitorCookie, Hex.encode(SecureRandom.bytes(16)), 86_400))
    }

    /// A visitor of whom nothing was stored is forgotten already.
    private static func erase(_ id: String, _ demo: DemoVisit) throws(OperationError) {
        do throws(OperationError) {
            _ = try demo.visit.environment.eraseUser(try AnonymousID.externalID(id), datasetGroupID: demo.group.id, by: .system)
        } catch {
            guard case .notFound = error else { throw error }
        }
    }
}
