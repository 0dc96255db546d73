/// Patterns as a tree of segments. Literals are compared as raw bytes and win over values.
struct RouteTree: Sendable {
    static let maximumDepth = 32

    private struct Node: Sendable {
        var literals: [(bytes: [UInt8], node: Int)] = []
        var value: Int?
        var rest: Int?
        /// Route index by method.
        var routes: [(method: Method, route: Int)] = []
    }

    /// Where a path led: the routes there by method, and the raw values of the pattern.
    struct Match {
        var routes: [(method: Method, route: Int)]
        var values: [ArraySlice<UInt8>]
    }

    enum Step {
        case literal([UInt8])
        case value
        case rest
    }

    private var nodes = [Node()]

    /// False when a route with that pattern and method is there already.
    mutating func insert(_ steps: [Step], method: Method, route: Int) -> Bool {
        var current = 0
        for step in steps { current = child(of: current, for: step) }
        guard !nodes[current].routes.contains(where: { $0.method == method }) else { return false }
        nodes[current].routes.append((method, route))
        return true
    }

    private mutating func child(of parent: Int, for step: Step) -> Int {
        switch step {
        case .literal(let bytes):
            if let known = nodes[parent].literals.first(where: { $0.bytes == bytes }) { return known.node }
            nodes[parent].literals.append((bytes, nodes.count))
        case .value:
            if let known = nodes[parent].value { return known }
            nodes[parent].value = nodes.count
        case .rest:
            if let known = nodes[parent].rest { return known }
            nodes[parent].rest = nodes.count
        }
        nodes.append(Node())
        return nodes.count - 1
    }

    /// `path` starts with a slash.
    func match(_ path: ArraySlice<UInt8>) -> Match? {
        var values: [ArraySlice<UInt8>] = []
        guard let node = find(0, path.dropFirst(), depth: 0, values: &values) else { return nil }
        return Match(routes: nodes[node].routes, values: values)
    }

    private func find(_ node: Int, _ rest: ArraySlice<UInt8>, depth: Int, values: inout [ArraySlice<UInt8>]) -> Int? {
        guard depth < Self.maximumDepth else { return nil }
        let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        let segment = rest[rest.startIndex..<end]
        for literal in nodes[node].literals where literal.bytes.count == segment.count && segment.elementsEqual(literal.bytes) {
            if let found = descend(literal.node, rest, from: end, depth: depth, values: &values) { return found }
        }
        if let value = nodes[node].value, !segment.isEmpty {
            values.append(segment)
            if let found = descend(value, rest, from: end, depth: depth, values: &values) { return found }
            values.removeLast()
        }
        if let remainder = nodes[node].rest, !rest.isEmpty {
            values.append(rest)
            return remainder
        }
        return nil
    }

    private func descend(
        _ node: Int, _ rest: ArraySlice<UInt8>, from end: Int, depth: Int, values: inout [ArraySlice<UInt8>]
    ) -> Int? {
        if end == rest.endIndex { return nodes[node].routes.isEmpty ? nil : node }
        return find(node, rest[(end + 1)...], depth: depth + 1, values: &values)
    }
}
