import Foundation
public import JSON

/// What a promotion says, as one version holds it.
public struct PromotionDefinition: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case pin, boost, bury, hide
    }

    /// Which items: chosen ones, or all with a category or brand.
    public enum Selection: Sendable, Equatable {
        /// External item ids, in the order the marketer gave.
        case items([String])
        /// A display column (`category` or `brand`) and its values.
        case values(column: String, [String])
    }

    /// All visitors, or those whose Users record has one of the values in a column.
    public enum Audience: Sendable, Equatable {
        case all
        case attribute(column: String, values: [String])
    }

    public var kind: Kind
    public var selection: Selection
    /// Names of placements; empty: every placement and campaign of the group.
    public var placements: [String]
    /// For pins: the first position, from 1.
    public var position: Int
    /// For boost and bury: the score is multiplied by it (boost above 1, bury below 1).
    public var factor: Double
    /// Lower is stronger; ties by newest.
    public var priority: Int
    /// Local date and time in the group's zone, `yyyy-MM-ddTHH:mm`; nil: from now on, without end.
    public var startsAt: String?
    public var endsAt: String?
    public var audience: Audience
    /// Share of visitors who do not get it, 0 to 0.5.
    public var holdOut: Double

    public init(
        kind: Kind, selection: Selection, placements: [String] = [], position: Int = 1, factor: Double = 2, priority: Int = 100,
        startsAt: String? = nil, endsAt: String? = nil, audience: Audience = .all, holdOut: Double = 0.1
    ) {
        self.kind = kind
        self.selection = selection
        self.placements = placements
        self.position = position
        self.factor = factor
        self.priority = priority
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.audience = audience
        self.holdOut = holdOut
    }
}

extension PromotionDefinition {
    public var json: JSONValue {
        var object: JSONObject = [
            "kind": .string(kind.rawValue), "placements": .array(placements.map { .string($0) }), "position": .integer(Int64(position)),
            "factor": .double(factor), "priority": .integer(Int64(priority)), "holdOut": .double(holdOut),
        ]
        switch selection {
        case .items(let items): object["items"] = .array(items.map { .string($0) })
        case .values(let column, let values):
            object["column"] = .string(column)
            object["values"] = .array(values.map { .string($0) })
        }
        if let startsAt { object["startsAt"] = .string(startsAt) }
        if let endsAt { object["endsAt"] = .string(endsAt) }
        if case .attribute(let column, let values) = audience {
            object["audience"] = ["column": .string(column), "values": .array(values.map { .string($0) })]
        }
        return .object(object)
    }

    /// Nil for a stored definition that this version of the program cannot read.
    public init?(json: JSONValue) {
        guard let kind = json["kind"]?.stringValue.flatMap(Kind.init(rawValue:)) else { return nil }
        func strings(_ value: JSONValue?) -> [String] { value?.arrayValue?.compactMap(\.stringValue) ?? [] }
        let selection: Selection =
            if let column = json["column"]?.stringValue { .values(column: column, strings(json["values"])) } else {
                .items(strings(json["items"]))
            }
        let audience: Audience =
            if let given = json["audience"], let column = given["column"]?.stringValue {
                .attribute(column: column, values: strings(given["values"]))
            } else { .all }
        self.init(
            kind: kind, selection: selection, placements: strings(json["placements"]), position: Int(json["position"]?.intValue ?? 1),
            factor: json["factor"]?.doubleValue ?? 1, priority: Int(json["priority"]?.intValue ?? 100),
            startsAt: json["startsAt"]?.stringValue, endsAt: json["endsAt"]?.stringValue, audience: audience,
            holdOut: json["holdOut"]?.doubleValue ?? 0.1)
    }
}
