/// Numbers that several threads write at disjoint places while a fit waits for them.
///
/// Sendable because every writer keeps to its own rows, and readers come after the writers were waited for.
final class SharedArray<Element: BitwiseCopyable>: @unchecked Sendable {
    let base: UnsafeMutablePointer<Element>
    let count: Int

    init(repeating value: Element, count: Int) {
        base = .allocate(capacity: max(1, count))
        base.initialize(repeating: value, count: max(1, count))
        self.count = count
    }

    convenience init(_ values: [Element]) where Element: ExpressibleByIntegerLiteral {
        self.init(repeating: 0, count: values.count)
        for (index, value) in values.enumerated() { base[index] = value }
    }

    deinit { base.deallocate() }
}
