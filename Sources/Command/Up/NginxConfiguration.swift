import Foundation

/// nginx/tastemaker.conf with its names filled in.
struct NginxConfiguration {
    let text: String

    /// `user` is the account of nginx's workers, given only when its master is root.
    init(template: String, settings: LaunchSettings, user: String?) throws(Failure) {
        for path in [settings.runFolder, settings.dataFolder, settings.resources, settings.tlsCertificate ?? "", settings.tlsKey ?? ""] {
            guard !path.unicodeScalars.contains(where: { "\"$\\{}".unicodeScalars.contains($0) || $0.value < 32 }) else {
                throw Failure("The path \(path) has a character that nginx's configuration cannot hold: move or rename the folder.")
            }
        }
        let values = [
            "user": user.map { "user \($0);" } ?? "",
            "run": settings.runFolder,
            "data": settings.dataFolder,
            "resources": settings.resources,
            "listen": settings.listen.description + (settings.isTLS ? " ssl http2" : ""),
            "tls": Self.tls(settings),
            "proxies": Self.proxies(settings.trustedProxies),
            "strictTransport": settings.publicURL.hasPrefix("https:") ? "max-age=31536000" : "",
        ]
        var rest = template[...]
        var result = ""
        while let open = rest.range(of: "{{"), let close = rest.range(of: "}}"), open.upperBound <= close.lowerBound {
            result += rest[..<open.lowerBound]
            let name = String(rest[open.upperBound..<close.lowerBound])
            guard let value = values[name] else {
                throw Failure("nginx/tastemaker.conf names {{\(name)}}, which the program does not know: restore the file.")
            }
            result += value
            rest = rest[close.upperBound...]
        }
        text = result + rest
    }

    private static func tls(_ settings: LaunchSettings) -> String {
        guard let certificate = settings.tlsCertificate, let key = settings.tlsKey else { return "" }
        return """
                    ssl_certificate "\(certificate)";
                    ssl_certificate_key "\(key)";
                    ssl_protocols TLSv1.2 TLSv1.3;
                    ssl_session_cache shared:tls:4m;
                    ssl_session_tickets off;
                    error_page 497 =308 \(settings.publicURL)$request_uri;
            """
    }

    private static func proxies(_ addresses: [String]) -> String {
        var lines = addresses.map { "    set_real_ip_from \($0);" }
        if !addresses.isEmpty { lines += ["    real_ip_header X-Forwarded-For;", "    real_ip_recursive on;"] }
        lines += ["    geo $realip_remote_addr $from_proxy {", "        default 0;"]
        lines += addresses.map { "        \($0) 1;" }
        return (lines + ["    }"]).joined(separator: "\n")
    }
}
