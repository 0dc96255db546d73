/// Names and values of a query string or of an urlencoded body, in the order they were sent.
public struct Form: Sendable, Equatable {
    public struct Item: Sendable, Equatable {
        public var name: String
        public var value: String
    }

    public private(set) var items: [Item]

    public init(items: [Item] = []) {
        self.items = items
    }

    /// 400 for a wrong escape, invalid UTF-8 or U+0000; 413 for more than `maximumItems` items.
    public init(parsing bytes: some Collection<UInt8>, maximumItems: Int = 1000) throws(HTTPError) {
        items = []
        for pair in bytes.split(separator: UInt8(ascii: "&")) {
            guard items.count < maximumItems else { throw .tooLarge("The form has more than \(maximumItems) fields.") }
            let equals = pair.firstIndex(of: UInt8(ascii: "="))
            let rawValue = equals.map { pair[pair.index(after: $0)...] } ?? pair[pair.endIndex...]
            guard let name = PercentCoding.decodeText(pair[..<(equals ?? pair.endIndex)], plusIsSpace: true),
                let value = PercentCoding.decodeText(rawValue, plusIsSpace: true)
            else { throw .malformed("The field '\(Self.excerpt(pair))' is not correctly percent-encoded UTF-8.") }
            items.append(Item(name: name, value: value))
        }
    }

    /// The fields of an urlencoded body; 415 for another content type.
    public init(body request: Request, maximumItems: Int = 1000) throws(HTTPError) {
        guard request.mediaType == "application/x-www-form-urlencoded" || request.body.isEmpty else {
            throw HTTPError(.unsupportedMediaType, code: "UnsupportedMediaType", message: "The form must be urlencoded.")
        }
        try self.init(parsing: request.body, maximumItems: maximumItems)
    }

    /// The first value of that name.
    public subscript(_ name: String) -> String? {
        items.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// All values of that name, as of check boxes.
    public func values(_ name: String) -> [String] {
        items.filter { $0.name.utf8.elementsEqual(name.utf8) }.map(\.value)
    }

    /// The value without white space around it; nil when it is missing or empty.
    public func text(_ name: String) -> String? {
        guard let value = self[name] else { return nil }
        let bytes = value.utf8
        let start = bytes.drop { $0 <= 0x20 }
        let end = start.lastIndex { $0 > 0x20 }.map { start.index(after: $0) } ?? start.startIndex
        return end == start.startIndex ? nil : String(value[start.startIndex..<end])
    }

    private static func excerpt(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: bytes.prefix(40), as: UTF8.self)
    }
}
