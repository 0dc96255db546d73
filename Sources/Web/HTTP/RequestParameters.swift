import Glibc

/// The CGI variables of one request, looked up where they lie: no dictionary, no text is made until one is asked for.
///
/// Either borrows libfcgi's `NAME=value` block, which is valid until the request is finished and then let go by
/// `invalidate`, or owns a block of its own for a request made in process.
final class RequestParameters {
    typealias Block = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    private var block: Block?
    private let ownedCount: Int

    init(borrowing block: Block?) {
        self.block = block
        ownedCount = 0
    }

    init(copying variables: [(name: String, value: String)]) {
        let block = Block.allocate(capacity: variables.count + 1)
        for (index, variable) in variables.enumerated() {
            block[index] = strdup("\(variable.name)=\(variable.value)")
        }
        block[variables.count] = nil
        self.block = block
        ownedCount = variables.count
    }

    deinit {
        guard ownedCount > 0, let block else { return }
        for index in 0..<ownedCount { free(block[index]) }
        block.deallocate()
    }

    /// A request that outlives its handler finds no variables, never those of the next request.
    func invalidate() {
        if ownedCount == 0 { block = nil }
    }

    /// The bytes of a variable; valid as long as the request.
    func value(_ name: StaticString) -> UnsafeBufferPointer<UInt8>? {
        value(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    func value(_ name: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        guard let block, let start = name.baseAddress, !name.isEmpty else { return nil }
        var index = 0
        while let entry = block[index] {
            index += 1
            guard UInt8(bitPattern: entry[0]) == start[0],
                strncmp(entry, UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self), name.count) == 0,
                entry[name.count] == 0x3D
            else { continue }
            let value = entry + name.count + 1
            let bytes = UnsafeRawPointer(value).assumingMemoryBound(to: UInt8.self)
            return UnsafeBufferPointer(start: bytes, count: strlen(value))
        }
        return nil
    }

    /// A header by its name in any case: `X-Amz-Date` is the variable `HTTP_X_AMZ_DATE`. At most 200 bytes of name.
    func header(_ name: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        guard name.count <= 200 else { return nil }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: name.count + 5) { buffer in
            for (index, byte) in "HTTP_".utf8.enumerated() { buffer.initializeElement(at: index, to: byte) }
            for (index, byte) in name.enumerated() {
                buffer.initializeElement(at: index + 5, to: Self.variableByte(byte))
            }
            let variable = UnsafeBufferPointer(buffer)
            let bare = UnsafeBufferPointer(rebasing: variable[5...])
            // CGI carries these two without the prefix (RFC 3875, 4.1.2 and 4.1.3).
            if bare.elementsEqual("CONTENT_TYPE".utf8) || bare.elementsEqual("CONTENT_LENGTH".utf8) { return value(bare) }
            return value(variable)
        }
    }

    static func variableByte(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 32
        case UInt8(ascii: "-"): UInt8(ascii: "_")
        default: byte
        }
    }
}
