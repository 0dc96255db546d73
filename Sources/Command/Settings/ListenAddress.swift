import Glibc

/// Where nginx listens: an address in digits and a port.
struct ListenAddress: Equatable, Sendable, CustomStringConvertible {
    /// `127.0.0.1`, `0.0.0.0`, `::1` …
    let host: String
    let port: Int

    /// Reads `host:port`, `[v6]:port`, `:port` or `*:port`; the name localhost means 127.0.0.1.
    init(_ text: String) throws(Failure) {
        let refusal = Failure("--listen takes an address in digits and a port, such as 127.0.0.1:8080, but is \(text).")
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (1...65535).contains(port) else {
            throw refusal
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host == "localhost" { host = "127.0.0.1" }
        if host.isEmpty || host == "*" { host = "0.0.0.0" }
        var address = in6_addr()
        guard inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1 else { throw refusal }
        (self.host, self.port) = (host, port)
    }

    var isLoopback: Bool { host.hasPrefix("127.") || host == "::1" }
    var isIPv6: Bool { host.contains(":") }
    var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// An address under which this machine reaches the listener.
    var localAddress: String {
        let host = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host
        return isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Tries to bind it for a moment, as nginx will; the error number when that fails.
    func bindingError() -> Int32? {
        let family = isIPv6 ? AF_INET6 : AF_INET
        let probe = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return errno }
        defer { close(probe) }
        var yes: Int32 = 1
        setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var result: Int32
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = in_port_t(port).bigEndian
            inet_pton(AF_INET6, host, &address.sin6_addr)
            result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(probe, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
            }
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            inet_pton(AF_INET, host, &address.sin_addr)
            result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(probe, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
        }
        // Binding alone succeeds beside a listener that also set SO_REUSEADDR but does not listen yet; listening does not.
        if result == 0 { result = Glibc.listen(probe, 1) }
        return result == 0 ? nil : errno
    }
}
