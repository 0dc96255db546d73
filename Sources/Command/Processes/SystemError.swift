import Glibc

/// The text of the C library for an error number.
func systemMessage(_ number: Int32 = errno) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    return strerror_r(number, &buffer, buffer.count) == 0 ? decoded(buffer) : "error \(number)"
}

/// The text before the first zero byte.
func decoded(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Milliseconds of a clock that only moves forward.
func monotonicMilliseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

/// Sleeps for at least the given time unless a signal ends it early.
func pause(milliseconds: Int) {
    var time = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    nanosleep(&time, nil)
}

/// Writes all bytes; a closed or broken descriptor ends it silently, as there is nobody left to tell.
func writeAll(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return }
        bytes = bytes.dropFirst(written)
    }
}
