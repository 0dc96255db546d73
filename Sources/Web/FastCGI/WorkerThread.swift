import CFastCGI
import Crypto
import Glibc

/// One thread of the server. It owns its FastCGI request and its output buffer, and lends each request to a handler.
///
/// Not Sendable: it must stay in the thread that got it.
public struct WorkerThread {
    private let pool: WorkerPool
    private let slot: WorkerPool.Slot
    /// 0 up to the number of threads.
    public let index: Int

    init(pool: WorkerPool, slot: WorkerPool.Slot, index: Int) {
        self.pool = pool
        self.slot = slot
        self.index = index
    }

    /// Answers requests until the server drains.
    public func serve(_ handle: (Request) -> RoutedResponse) {
        // libfcgi keeps pointers into the request, so its address must stay put.
        let request = UnsafeMutablePointer<FCGX_Request>.allocate(capacity: 1)
        defer { request.deallocate() }
        guard FCGX_InitRequest(request, pool.settings.listeningDescriptor, Int32(FCGI_FAIL_ACCEPT_ON_INTR)) == 0 else { return }
        defer { FCGX_Free(request, 1) }
        var identifiers = RequestIdentifiers()
        var buffer: [UInt8] = []
        buffer.reserveCapacity(16384)
        let report = pool.observer.makeReporter?(index)
        slot.becomeIdle()
        while accept(request) {
            slot.becomeBusy()
            answer(request, id: identifiers.next(), buffer: &buffer, report, handle)
            // Under steady load a kept connection might never be idle when the signal comes.
            let isLast = pool.isDraining
            if isLast { request.pointee.keepConnection = 0 }
            FCGX_Finish_r(request)
            if isLast { break }
            slot.becomeIdle()
        }
    }

    /// Waits for a request. False when the server drains or the socket is gone.
    private func accept(_ request: UnsafeMutablePointer<FCGX_Request>) -> Bool {
        var failures = 0
        while true {
            if FCGX_Accept_r(request) >= 0 { return true }
            failures += 1
            // One failure may be a client that left in the middle of its parameters, or too many open files.
            if pool.isDraining || failures > 100 { return false }
            usleep(1000)
        }
    }

    private func answer(
        _ fastCGI: UnsafeMutablePointer<FCGX_Request>, id: String, buffer: inout [UInt8], _ report: RequestObserver.Reporter?,
        _ handle: (Request) -> RoutedResponse
    ) {
        let start = report == nil ? nil : ContinuousClock.now
        let parameters = RequestParameters(borrowing: fastCGI.pointee.envp)
        defer { parameters.invalidate() }
        let length = Self.contentLength(parameters)
        let reader = BodyReader(stream: fastCGI.pointee.in, length: length ?? 0)
        var outcome: RoutedResponse
        var requestID = id
        var isHead = false
        do throws(HTTPError) {
            guard length != nil else { throw HTTPError.malformed("Content-Length is not a number.") }
            let request = try Request(parameters: parameters, body: reader, requestID: id, proxies: pool.settings.proxies)
            requestID = request.requestID
            isHead = request.method == .head
            outcome = handle(request)
        } catch {
            outcome = RoutedResponse(response: error.jsonResponse(), route: "malformed", failure: error)
        }
        outcome.response.write(to: &buffer, requestID: requestID, isHead: isHead)
        let isDrained = reader.discardRest()
        send(buffer, to: fastCGI.pointee.out)
        if !isDrained { fastCGI.pointee.keepConnection = 0 }
        if let report, let start { report(record(outcome, requestID, parameters, reader, buffer.count, since: start)) }
    }

    private func send(_ bytes: [UInt8], to stream: UnsafeMutablePointer<FCGX_Stream>?) {
        bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            // FCGX_PutStr counts in Int32; an answer of 2 GB has no place here anyway.
            _ = FCGX_PutStr(start.assumingMemoryBound(to: CChar.self), Int32(clamping: buffer.count), stream)
        }
    }

    private func record(
        _ outcome: RoutedResponse, _ requestID: String, _ parameters: RequestParameters, _ reader: BodyReader, _ bytes: Int,
        since start: ContinuousClock.Instant
    ) -> RequestObserver.Record {
        let elapsed = (ContinuousClock.now - start).components
        return RequestObserver.Record(
            requestID: requestID,
            method: parameters.value("REQUEST_METHOD").map { String(decoding: $0.prefix(15), as: UTF8.self) } ?? "",
            route: outcome.route, status: outcome.response.status.code,
            microseconds: Int(elapsed.seconds) * 1_000_000 + Int(elapsed.attoseconds / 1_000_000_000_000),
            requestBytes: reader.length, responseBytes: bytes, failure: outcome.failure.map { "\($0)" })
    }

    /// Zero when there is none; nil when it is no number. nginx gives chunked bodies a length of its own.
    private static func contentLength(_ parameters: RequestParameters) -> Int? {
        guard let text = parameters.value("CONTENT_LENGTH"), !text.isEmpty else { return 0 }
        var length = 0
        guard text.count <= 15 else { return nil }
        for digit in text {
            guard (48...57).contains(digit) else { return nil }
            length = length * 10 + Int(digit - 48)
        }
        return length
    }
}

/// Request ids of one thread: unique, but no secret, so a seeded generator does instead of a system call for each.
private struct RequestIdentifiers {
    private var state: UInt64
    private let prefix: [UInt8]

    init() {
        let seed = SecureRandom.bytes(16)
        state = seed.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        prefix = Array(seed.suffix(8))
    }

    /// In the form of a version 4 UUID.
    mutating func next() -> String {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for index in 0..<16 {
                if index == 4 || index == 6 || index == 8 || index == 10 {
                    buffer[position] = UInt8(ascii: "-")
                    position += 1
                }
                var byte = index < 8 ? UInt8(truncatingIfNeeded: mixed >> UInt64(index * 8)) : prefix[index - 8]
                if index == 6 { byte = byte & 0x0F | 0x40 }
                if index == 8 { byte = byte & 0x3F | 0x80 }
                buffer[position] = Self.digit(byte >> 4)
                buffer[position + 1] = Self.digit(byte & 15)
                position += 2
            }
            return 36
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? 48 + value : 87 + value
    }
}
