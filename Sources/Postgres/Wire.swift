import CPostgres
import Foundation
import Glibc

/// One libpq connection in non-blocking mode: nothing here waits without a deadline.
///
/// At a deadline the running statement is cancelled; a server that does not even answer to that loses the connection.
final class Wire {
    private var handle: OpaquePointer?
    private let graceMilliseconds: Int
    /// Limit of each wait for the server; nil for none.
    var timeoutMilliseconds: Int?

    init(_ settings: ConnectionSettings) throws(PostgresError) {
        graceMilliseconds = settings.graceMilliseconds
        let started = Self.start(settings)
        guard let started else { throw PostgresError(.connectionFailed, "Out of memory for a connection to PostgreSQL.") }
        handle = started
        PQsetNoticeProcessor(started, { _, _ in }, nil)
        do throws(PostgresError) {
            try establish(started, Deadline(milliseconds: settings.connectTimeoutMilliseconds))
        } catch {
            close()
            throw error
        }
    }

    deinit {
        close()
    }

    private static func start(_ settings: ConnectionSettings) -> OpaquePointer? {
        let parameters = settings.parameters
        var keywords = parameters.map { UnsafePointer(strdup($0.keyword)) }
        var values = parameters.map { UnsafePointer(strdup($0.value)) }
        defer {
            for pointer in keywords + values { free(UnsafeMutablePointer(mutating: pointer)) }
        }
        keywords.append(nil)
        values.append(nil)
        let handle = PQconnectStartParams(keywords, values, 1)
        keywords.removeLast()
        values.removeLast()
        return handle
    }

    private func establish(_ handle: OpaquePointer, _ deadline: Deadline) throws(PostgresError) {
        var state = PQstatus(handle) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while state != PGRES_POLLING_OK {
            guard state != PGRES_POLLING_FAILED else {
                throw PostgresError(.connectionFailed, String(cString: PQerrorMessage(handle)).trimmedLine)
            }
            let events = Int16(state == PGRES_POLLING_READING ? POLLIN : POLLOUT)
            guard wait(handle, events, deadline) != 0 else {
                throw PostgresError(.connectionFailed, "PostgreSQL did not answer to a new connection in time.")
            }
            state = PQconnectPoll(handle)
        }
        PQsetnonblocking(handle, 1)
    }

    /// Ends the connection without waiting for anyone.
    func close() {
        guard let handle else { return }
        let descriptor = PQsocket(handle)
        if descriptor >= 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
        PQfinish(handle)
        self.handle = nil
    }

    var isOpen: Bool {
        guard let handle else { return false }
        return PQstatus(handle) == CONNECTION_OK
    }

    /// Open, and between transactions.
    var isIdle: Bool {
        guard let handle else { return false }
        return PQstatus(handle) == CONNECTION_OK && PQtransactionStatus(handle) == PQTRANS_IDLE
    }

    var isInTransaction: Bool {
        guard let handle else { return false }
        return PQtransactionStatus(handle) == PQTRANS_INTRANS || PQtransactionStatus(handle) == PQTRANS_INERROR
    }

    /// Looks without waiting whether the server hung up.
    func isStillThere() -> Bool {
        guard let handle, isIdle else { return false }
        // A farewell message may stand before the end of the stream, so read all there is.
        while wait(handle, Int16(POLLIN), Deadline(milliseconds: 0)) != 0 {
            guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK else { return false }
        }
        return true
    }

    var serverVersion: Int {
        guard let handle else { return 0 }
        return Int(PQserverVersion(handle))
    }

    func makeCanceller() -> Canceller? {
        guard let handle, let pointer = PQgetCancel(handle) else { return nil }
        return Canceller(pointer)
    }

    // MARK: Statements

    /// Sends by `send`, then collects results up to the server's readiness; the last one counts, the first error is thrown.
    func perform(_ send: (OpaquePointer) -> Int32) throws(PostgresError) -> ResultHandle {
        let handle = try post(send)
        var last: ResultHandle?
        var failure: PostgresError?
        var watch = makeWatch()
        while let result = try next(handle, &watch) {
            switch result.status {
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE:
                failure = failure ?? PostgresError(result: result.pointer)
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                close()
                throw PostgresError(.usage, "COPY needs copyIn or copyOut.")
            default:
                last = result
            }
        }
        if let failure { throw settled(failure) }
        guard let last else { throw settled(lost(handle)) }
        return last
    }

    /// Sends a statement that starts a COPY in the direction `expected`.
    func startCopy(_ expected: ExecStatusType, _ send: (OpaquePointer) -> Int32) throws(PostgresError) {
        let handle = try post(send)
        var watch = makeWatch()
        guard let result = try next(handle, &watch) else { throw settled(lost(handle)) }
        guard result.status != expected else { return }
        let failure =
            result.status == PGRES_FATAL_ERROR
            ? PostgresError(result: result.pointer) : PostgresError(.usage, "The statement does not start a COPY.")
        try drain()
        throw settled(failure)
    }

    /// Reads and drops what is left of a statement.
    private func drain() throws(PostgresError) {
        guard let handle else { return }
        var watch = makeWatch()
        while try next(handle, &watch) != nil {}
    }

    private func post(_ send: (OpaquePointer) -> Int32) throws(PostgresError) -> OpaquePointer {
        guard let handle else { throw .closed }
        guard send(handle) == 1 else {
            if PQstatus(handle) == CONNECTION_OK {
                throw PostgresError(.usage, String(cString: PQerrorMessage(handle)).trimmedLine)
            }
            throw lost(handle)
        }
        try flush(handle)
        return handle
    }

    /// Writes out what libpq holds, reading meanwhile so that neither side can block the other.
    private func flush(_ handle: OpaquePointer) throws(PostgresError) {
        var watch = makeWatch()
        while true {
            let state = PQflush(handle)
            if state == 0 { return }
            // A server that refused the statement may have hung up; its message is still to be read.
            if state < 0 { return }
            let ready = try watchedWait(handle, Int16(POLLIN | POLLOUT), &watch)
            if ready & Int16(POLLIN) != 0, PQconsumeInput(handle) == 0 { throw lost(handle) }
        }
    }

    private func next(_ handle: OpaquePointer, _ watch: inout Watch) throws(PostgresError) -> ResultHandle? {
        while PQisBusy(handle) == 1 {
            _ = try watchedWait(handle, Int16(POLLIN), &watch)
            if PQconsumeInput(handle) == 0 { throw lost(handle) }
        }
        return PQgetResult(handle).map(ResultHandle.init)
    }

    // MARK: COPY data

    /// Sends a piece of COPY data and waits until the kernel took it, so that memory stays bounded.
    func put(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        guard let handle else { throw .closed }
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        var watch = makeWatch()
        while true {
            let state = PQputCopyData(handle, base.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
            if state == 1 { break }
            if state < 0 { throw try copyFailure(handle) }
            _ = try watchedWait(handle, Int16(POLLOUT), &watch)
        }
        try flush(handle)
    }

    /// The server's reason for ending a COPY early.
    private func copyFailure(_ handle: OpaquePointer) throws(PostgresError) -> PostgresError {
        var failure: PostgresError?
        var watch = makeWatch()
        while let result = try next(handle, &watch) {
            if result.status == PGRES_FATAL_ERROR { failure = failure ?? PostgresError(result: result.pointer) }
            if result.status == PGRES_COPY_IN { break }
        }
        return settled(failure ?? lost(handle))
    }

    /// Ends COPY FROM STDIN, with `reason` as a failure; the rows stored otherwise.
    func finishCopyIn(failing reason: String?) throws(PostgresError) -> Int {
        guard let handle else { throw .closed }
        var watch = makeWatch()
        while true {
            let state = PQputCopyEnd(handle, reason)
            if state == 1 { break }
            if state < 0 { throw try copyFailure(handle) }
            _ = try watchedWait(handle, Int16(POLLOUT), &watch)
        }
        return try perform { _ in 1 }.affectedRows
    }

    /// The next message of COPY TO STDOUT, to be freed by `PQfreemem`; nil at the end.
    func nextCopyMessage() throws(PostgresError) -> UnsafeRawBufferPointer? {
        guard let handle else { throw .closed }
        var message: UnsafeMutablePointer<CChar>?
        var size = PQgetCopyData(handle, &message, 1)
        if size == 0 {
            var watch = makeWatch()
            repeat {
                _ = try watchedWait(handle, Int16(POLLIN), &watch)
                if PQconsumeInput(handle) == 0 { throw lost(handle) }
                size = PQgetCopyData(handle, &message, 1)
            } while size == 0
        }
        guard size > 0, let message else { return nil }
        return UnsafeRawBufferPointer(start: message, count: Int(size))
    }

    /// Collects the end of COPY TO STDOUT.
    func finishCopyOut() throws(PostgresError) {
        _ = try perform { _ in 1 }
    }

    // MARK: Notifications

    func nextNotification(_ deadline: Deadline) throws(PostgresError) -> Connection.Notification? {
        guard let handle else { throw .closed }
        while true {
            if let raw = PQnotifies(handle) {
                defer { PQfreemem(raw) }
                return Connection.Notification(
                    channel: String(cString: raw.pointee.relname), payload: String(cString: raw.pointee.extra),
                    senderProcess: Int(raw.pointee.be_pid))
            }
            guard wait(handle, Int16(POLLIN), deadline) != 0 else { return nil }
            if PQconsumeInput(handle) == 0 || PQstatus(handle) != CONNECTION_OK { throw settled(lost(handle)) }
        }
    }

    // MARK: Waiting

    /// Time limit of one exchange, and whether the statement was already cancelled.
    private struct Watch {
        var deadline: Deadline
        var isCancelled = false
    }

    private func makeWatch() -> Watch {
        Watch(deadline: timeoutMilliseconds.map { Deadline(milliseconds: $0) } ?? .never)
    }

    private func watchedWait(_ handle: OpaquePointer, _ events: Int16, _ watch: inout Watch) throws(PostgresError) -> Int16 {
        while true {
            let ready = wait(handle, events, watch.deadline)
            if ready != 0 { return ready }
            guard !watch.isCancelled else {
                close()
                var error = PostgresError(.timeout, "PostgreSQL did not answer in time; the connection was given up.")
                error.outcomeUnknown = true
                throw error
            }
            watch = Watch(deadline: Deadline(milliseconds: graceMilliseconds), isCancelled: true)
            // PQcancel has no time limit of its own, so it runs beside.
            if let canceller = makeCanceller() { Thread.detachNewThread { canceller.cancel() } }
        }
    }

    /// Events that are ready, 0 when the deadline passed.
    private func wait(_ handle: OpaquePointer, _ events: Int16, _ deadline: Deadline) -> Int16 {
        var descriptor = pollfd(fd: PQsocket(handle), events: events, revents: 0)
        while true {
            let count = poll(&descriptor, 1, deadline.remainingMilliseconds)
            if count > 0 { return descriptor.revents }
            if count < 0, errno == EINTR { continue }
            return count < 0 ? Int16(POLLERR) : 0
        }
    }

    private func lost(_ handle: OpaquePointer) -> PostgresError {
        let message = String(cString: PQerrorMessage(handle)).trimmedLine
        return PostgresError(.connectionLost, message.isEmpty ? "The connection to PostgreSQL broke." : message)
    }

    /// Closes a connection that an error has left unusable; the error itself is passed on.
    private func settled(_ error: PostgresError) -> PostgresError {
        if !isOpen { close() }
        return error
    }
}

/// Cancels the running statement of one connection from any thread.
///
/// Sendable because libpq documents its cancel object as safe to use from another thread.
public final class Canceller: @unchecked Sendable {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQfreeCancel(pointer)
    }

    /// Asks the server to end the statement that runs now, if any. False when the server could not be asked.
    @discardableResult
    public func cancel() -> Bool {
        var reason = [CChar](repeating: 0, count: 256)
        return PQcancel(pointer, &reason, Int32(reason.count)) == 1
    }
}
