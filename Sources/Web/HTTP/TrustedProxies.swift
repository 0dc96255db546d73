import Glibc

/// Addresses whose X-Forwarded headers are believed. Empty by default: then those headers are ignored.
public struct TrustedProxies: Sendable, Equatable {
    private struct Network: Sendable, Equatable {
        var address: [UInt8]
        var prefix: Int
    }

    private var networks: [Network] = []

    public init() {}

    /// Addresses or networks, as in `10.0.0.0/8` or `::1`. Nil when one cannot be read.
    public init?(_ texts: [String]) {
        for text in texts {
            let parts = text.split(separator: "/", maxSplits: 1)
            guard let first = parts.first, let address = Self.bytes(String(first)) else { return nil }
            let prefix = parts.count == 2 ? Int(parts[1]) : address.count * 8
            guard let prefix, (0...address.count * 8).contains(prefix) else { return nil }
            networks.append(Network(address: address, prefix: prefix))
        }
    }

    public var isEmpty: Bool { networks.isEmpty }

    public func contains(_ address: String) -> Bool {
        guard !networks.isEmpty, let bytes = Self.bytes(address) else { return false }
        return networks.contains { network in
            guard network.address.count == bytes.count else { return false }
            return (0..<network.prefix).allSatisfy { bit in
                (bytes[bit / 8] ^ network.address[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
            }
        }
    }

    /// The last address of the list that is no trusted proxy: all before it is the client's own claim.
    /// Nil when what stands there is no address.
    func client(forwardedFor list: String) -> String? {
        let addresses = list.utf8.suffix(2000).split(separator: UInt8(ascii: ",")).map { part in
            String(decoding: part.filter { $0 != UInt8(ascii: " ") && $0 != 9 }, as: UTF8.self)
        }
        guard let address = addresses.last(where: { !contains($0) }) ?? addresses.first, Self.bytes(address) != nil else { return nil }
        return address
    }

    private static func bytes(_ address: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, address, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var six = in6_addr()
        if inet_pton(AF_INET6, address, &six) == 1 { return withUnsafeBytes(of: six) { Array($0) } }
        return nil
    }
}
