import Crypto

/// The headers that keep a browser from doing what a page did not ask for.
public struct SecurityHeaders: Sendable {
    /// A fresh value for each page; the layout puts it on its own script and style elements.
    public let nonce: String
    private let isSecure: Bool

    /// `isSecure` when the page came by https: then browsers are told to stay with it.
    public init(isSecure: Bool) {
        nonce = SecureRandom.token(.base64URL, length: 24)
        self.isSecure = isSecure
    }

    public var contentSecurityPolicy: String {
        "default-src 'none'; script-src 'self' 'nonce-\(nonce)'; style-src 'self' 'nonce-\(nonce)'; img-src 'self' data: https:; "
            + "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    }

    /// Adds the headers of a console page.
    public func apply(to response: inout Response) {
        response.setHeader("Content-Security-Policy", contentSecurityPolicy)
        response.setHeader("Referrer-Policy", "same-origin")
        response.setHeader("X-Frame-Options", "DENY")
        response.setHeader("Cross-Origin-Opener-Policy", "same-origin")
        response.setHeader("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
        if response.header("Cache-Control") == nil { response.setHeader("Cache-Control", "no-store") }
        if isSecure { response.setHeader("Strict-Transport-Security", "max-age=31536000") }
        Self.applyCommon(to: &response)
    }

    /// Adds what every answer needs, those of the API included.
    public static func applyCommon(to response: inout Response) {
        response.setHeader("X-Content-Type-Options", "nosniff")
    }
}
