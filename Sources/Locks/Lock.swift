import Glibc

/// A mutual exclusion lock around a value, for what every request of a process touches.
///
/// `Mutex` of Synchronization hands a contended lock over to the next waiter in the kernel (a priority-inheriting futex). With more runnable
/// threads than cores that makes convoys: the new owner does not run yet, and all others queue behind it. This lock lets whoever runs take it.
///
/// `@unchecked Sendable`: the value is reached only while the lock is held.
public final class Lock<Value>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    public init(_ value: sending Value) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        self.value = value
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deinitialize(count: 1)
        mutex.deallocate()
    }

    /// Runs `body` with the value; never to be entered again from within.
    public func withLock<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> sending Result) throws(Failure) -> sending Result
    {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
