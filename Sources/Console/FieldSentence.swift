import Tastemaker

extension OperationError {
    /// The message for people. What the contract words for programs is said in words of our own; all else stays as it is.
    var sentence: String {
        let mark = "failed to satisfy constraint: "
        guard message.hasPrefix("1 validation error detected: "), let start = message.ranges(of: mark).last?.upperBound else {
            return message
        }
        return FieldSentence.text(ofConstraint: String(message[start...]))
    }
}

/// The constraints of `Check`, for people.
enum FieldSentence {
    static let name = "A name has 1 to 63 letters (a to z), digits, hyphens and underscores, and begins with a letter or a digit."

    static func text(ofConstraint constraint: String) -> String {
        func rest(_ start: String) -> Substring? { constraint.hasPrefix(start) ? constraint.dropFirst(start.count) : nil }
        if let least = rest("Member must have length greater than or equal to ") {
            return least == "1" ? "This cannot be empty." : "This needs at least \(least) characters."
        }
        if let most = rest("Member must have length less than or equal to ") { return "This has at most \(most) characters." }
        if let least = rest("Member must have value greater than or equal to ") { return "This is at least \(least)." }
        if let most = rest("Member must have value less than or equal to ") { return "This is at most \(most)." }
        if let set = rest("Member must satisfy enum value set: ") { return "This is one of \(set.dropFirst().dropLast())." }
        if let pattern = rest("Member must satisfy regular expression pattern: ") {
            return pattern == Check.namePattern ? name : "This is not written as it has to be."
        }
        return constraint == "Member must not be null" ? "This cannot be empty." : constraint
    }
}
