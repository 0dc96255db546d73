/// Checks of single members, in the words of the contract. Lengths count Unicode scalars.
public enum Check {
    public static func length(_ value: String, _ range: ClosedRange<Int>, field: String) throws(OperationError) {
        let length = value.unicodeScalars.count
        if length < range.lowerBound {
            throw violation(value, field: field, "Member must have length greater than or equal to \(range.lowerBound)")
        }
        if length > range.upperBound {
            throw violation(value, field: field, "Member must have length less than or equal to \(range.upperBound)")
        }
        if value.utf8.contains(0) { throw .invalidInput("'\(field)' must not contain U+0000.", field: field) }
    }

    /// Of control-plane names, as the contract words it.
    public static let namePattern = "^[a-zA-Z0-9][a-zA-Z0-9\\-_]*"

    /// A control-plane name: 1 to 63 characters, the first alphanumeric, then alphanumeric, `-` or `_`.
    public static func name(_ value: String, field: String = "name") throws(OperationError) {
        try length(value, 1...63, field: field)
        let isValid = value.utf8.enumerated().allSatisfy { offset, byte in
            isAlphanumeric(byte) || (offset > 0 && (byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")))
        }
        if !isValid { throw pattern(value, namePattern, field: field) }
    }

    public static func range<T: Comparable & Sendable>(_ value: T, _ range: ClosedRange<T>, field: String) throws(OperationError) {
        if value < range.lowerBound {
            throw violation("\(value)", field: field, "Member must have value greater than or equal to \(range.lowerBound)")
        }
        if value > range.upperBound {
            throw violation("\(value)", field: field, "Member must have value less than or equal to \(range.upperBound)")
        }
    }

    public static func oneOf(_ value: String, _ allowed: [String], field: String) throws(OperationError) {
        if !allowed.contains(value) {
            throw violation(value, field: field, "Member must satisfy enum value set: [\(allowed.joined(separator: ", "))]")
        }
    }

    /// `arn:…:iam::<12 digits>:role/<path>`, at most 256 characters.
    public static func roleARN(_ value: String, field: String) throws(OperationError) {
        try length(value, 0...256, field: field)
        let parts = value.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 5, omittingEmptySubsequences: false)
        let isPathByte: (UInt8) -> Bool = { isAlphanumeric($0) || "_+=,.@-/".utf8.contains($0) }
        guard parts.count == 6, parts[0].elementsEqual("arn".utf8), !parts[1].isEmpty, parts[1].allSatisfy(isPartitionByte),
            parts[2].elementsEqual("iam".utf8), parts[3].isEmpty, isAccount(parts[4]),
            parts[5].starts(with: "role".utf8), parts[5].count > 4, parts[5].dropFirst(4).allSatisfy(isPathByte)
        else { throw pattern(value, "arn:([a-z\\d-]+):iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+", field: field) }
    }

    /// `arn:aws…:kms:<region>:<12 digits>:key/<id>`, at most 2048 characters.
    public static func keyARN(_ value: String, field: String) throws(OperationError) {
        try length(value, 0...2048, field: field)
        let parts = value.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].elementsEqual("arn".utf8), parts[1].starts(with: "aws".utf8), parts[2].elementsEqual("kms".utf8),
            isAccount(parts[4]), parts[5].starts(with: "key/".utf8)
        else { throw pattern(value, "arn:aws.*:kms:.*:[0-9]{12}:key/.*", field: field) }
    }

    private static func isAccount(_ part: Substring.UTF8View) -> Bool {
        part.count == 12 && part.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isPartitionByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
    }

    /// An external user or item id: 1 to 256 characters.
    public static func externalID(_ value: String, field: String) throws(OperationError) {
        try length(value, 1...256, field: field)
    }

    public static func required<T>(_ value: T?, field: String) throws(OperationError) -> T {
        guard let value else {
            throw .invalidInput(
                "1 validation error detected: Value null at '\(field)' failed to satisfy constraint: Member must not be null", field: field)
        }
        return value
    }

    static func pattern(_ value: String, _ pattern: String, field: String) -> OperationError {
        violation(value, field: field, "Member must satisfy regular expression pattern: \(pattern)")
    }

    public static func violation(_ value: String, field: String, _ constraint: String) -> OperationError {
        let shown = value.unicodeScalars.count > 100 ? String(String.UnicodeScalarView(value.unicodeScalars.prefix(100))) + "…" : value
        return .invalidInput(
            "1 validation error detected: Value '\(shown)' at '\(field)' failed to satisfy constraint: \(constraint)", field: field)
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
