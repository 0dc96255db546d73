public import JSON

/// What a template can print or repeat. A tree of finished values: nothing is formatted or looked up by the template.
public indirect enum ViewValue: Sendable {
    /// Prints as it is; as a section, true unless empty.
    case html(HTML)
    /// A checked URL: the only kind that an attribute such as `href` takes at its start.
    case url(URLValue)
    case bool(Bool)
    case list([ViewValue])
    case object(ViewModel)

    /// Text, escaped.
    public static func text(_ text: String) -> ViewValue { .html(HTML(escaping: text)) }

    /// The text, or false when there is none, so that a section around it is left out.
    public static func text(_ text: String?) -> ViewValue { text.map { .text($0) } ?? .bool(false) }

    public static func number(_ number: some BinaryInteger) -> ViewValue { .html(HTML(escaping: String(number))) }

    /// JSON for a script element of type application/json.
    public static func dataIsland(_ value: JSONValue) -> ViewValue { .html(HTML(dataIsland: value)) }

    public static func list(_ models: [ViewModel]) -> ViewValue { .list(models.map { .object($0) }) }
}

extension ViewValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
    public init(stringLiteral value: String) { self = .text(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .number(value) }
    public init(arrayLiteral elements: ViewValue...) { self = .list(elements) }
}

/// Named values of one page or one row. Few names, so a row is an array, not a dictionary.
public struct ViewModel: Sendable, ExpressibleByDictionaryLiteral {
    private var members: [(name: String, value: ViewValue)]

    public init(dictionaryLiteral elements: (String, ViewValue)...) {
        members = elements.map { (name: $0.0, value: $0.1) }
    }

    public init() {
        members = []
    }

    /// Setting replaces a value of that name; setting nil removes it.
    public subscript(_ name: String) -> ViewValue? {
        get { members.first { $0.name == name }?.value }
        set {
            let position = members.firstIndex { $0.name == name }
            switch (position, newValue) {
            case (let position?, let newValue?): members[position].value = newValue
            case (let position?, nil): members.remove(at: position)
            case (nil, let newValue?): members.append((name: name, value: newValue))
            case (nil, nil): break
            }
        }
    }

    /// This model with the values of another added; the other's win.
    public func merging(_ other: ViewModel) -> ViewModel {
        var merged = self
        for member in other.members { merged[member.name] = member.value }
        return merged
    }

    public var names: [String] { members.map(\.name) }
}
