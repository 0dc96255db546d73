/// A key and a value that the owner of a resource gave it.
public struct Tag: Sendable, Equatable {
    public let key: String
    public let value: String

    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    /// Tags of one resource.
    public static let limit = 50
    /// Tags or keys in one request.
    static let requestLimit = 200

    /// Keys 1 to 128 characters, values to 256; letters, digits, spaces and `_ . : / = + - @`; `aws:` is reserved.
    static func check(_ tags: [Tag]) throws(OperationError) {
        guard tags.count <= requestLimit else { throw .tooManyTags("A resource has at most \(limit) tags.") }
        var keys: Set<[UInt8]> = []
        for tag in tags {
            try checkKey(tag.key)
            try Check.length(tag.value, 0...256, field: "tags.tagValue")
            try checkCharacters(tag.value, field: "tags.tagValue")
            guard keys.insert(Array(tag.key.utf8)).inserted else {
                throw .invalidInput("The tag key '\(tag.key)' is given twice.", field: "tags")
            }
        }
    }

    static func checkKey(_ key: String) throws(OperationError) {
        try Check.length(key, 1...128, field: "tags.tagKey")
        try checkCharacters(key, field: "tags.tagKey")
        if key.utf8.starts(with: "aws:".utf8) { throw .invalidInput("Tag keys must not start with aws:.", field: "tags.tagKey") }
    }

    private static func checkCharacters(_ text: String, field: String) throws(OperationError) {
        let isValid = text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber, .letterNumber,
                .otherNumber,
                .spaceSeparator, .lineSeparator, .paragraphSeparator:
                true
            default: "_.:/=+-@".unicodeScalars.contains(scalar)
            }
        }
        if !isValid { throw Check.pattern(text, "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$", field: field) }
    }
}
