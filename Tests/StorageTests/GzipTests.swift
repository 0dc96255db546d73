import Storage
import Testing

private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 7)) } }

@Test(arguments: [0, 1, 1_000, 65_535, 65_536, 65_537, 300_000]) func `what was packed unpacks to the same bytes`(count: Int) throws {
    let packed = try GzipDeflater.deflate(bytes(count))
    #expect(GzipInflater.isGzip(packed))
    #expect(try GzipInflater.inflate(packed, limit: count) == bytes(count))
}

@Test func `several members in a row are one stream, whatever the chunks`() throws {
    let packed = try GzipDeflater.deflate(bytes(5_000)) + GzipDeflater.deflate([]) + GzipDeflater.deflate(bytes(70_000), level: 1)
    for size in [1, 7, 1_000, packed.count] {
        var inflater = try GzipInflater(limit: 75_000)
        var result: [UInt8] = []
        for start in stride(from: 0, to: packed.count, by: size) {
            try inflater.inflate(Array(packed[start..<min(start + size, packed.count)])) { result += $0 }
        }
        try inflater.finish()
        #expect(result == bytes(5_000) + bytes(70_000))
    }
}

@Test func `a bomb stops at the limit`() throws {
    let bomb = try GzipDeflater.deflate([UInt8](repeating: 0, count: 50_000_000), level: 9)
    #expect(bomb.count < 60_000)
    var inflater = try GzipInflater(limit: 1_000_000)
    var total = 0
    let error = #expect(throws: GzipError.self) { try inflater.inflate(bomb) { total += $0.count } }
    #expect(error == .tooLarge(1_000_000))
    #expect(total <= 1_000_000)
    #expect(throws: GzipError.damaged) { try inflater.inflate([1]) { _ in } }
}

@Test func `a truncated stream is an error at any length`() throws {
    let packed = try GzipDeflater.deflate(bytes(3_000))
    for count in 0..<packed.count {
        #expect(throws: GzipError.truncated) { try GzipInflater.inflate(Array(packed[..<count]), limit: 3_000) }
    }
}

@Test func `a damaged stream is an error and gives no crash`() throws {
    let packed = try GzipDeflater.deflate(bytes(3_000))
    for position in packed.indices {
        var damaged = packed
        damaged[position] ^= 0xFF
        // Bytes 4 to 9 of the header are time, hints and system, which nothing checks.
        if (4..<10).contains(position) { continue }
        #expect(throws: GzipError.self) { try GzipInflater.inflate(damaged, limit: 100_000) }
    }
    #expect(throws: GzipError.damaged) { try GzipInflater.inflate(Array("plain text".utf8), limit: 100) }
}
