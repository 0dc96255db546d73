/// Places that several threads fill, each its own.
///
/// Sendable because no place is written twice, and the values are read after the writers were waited for.
final class Slots<Value: Sendable>: @unchecked Sendable {
    private let base: UnsafeMutablePointer<Value?>
    private let count: Int

    init(count: Int) {
        self.count = count
        base = .allocate(capacity: max(1, count))
        base.initialize(repeating: nil, count: count)
    }

    func set(_ index: Int, _ value: Value) { base[index] = value }

    /// The filled ones, in order.
    var values: [Value] { (0..<count).compactMap { base[$0] } }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }
}
