public import Foundation
public import Postgres

/// What a marketer wants shown more, less, or not at all. What it says stands in its versions; publishing chooses one.
public struct Promotion: Sendable, Equatable {
    /// What the promotion does at a moment.
    public enum State: String, Sendable, CaseIterable {
        case draft, scheduled, live, ended, archived
    }

    public let id: Int32
    public let datasetGroupID: Int32
    public let name: String
    /// Nil: acts nowhere.
    public let published: PromotionVersion?
    /// The newest, published or not.
    public let latest: PromotionVersion
    public let archivedAt: PGTimestamp?
    /// Stable for the promotion's life: decides who is in its hold-out.
    public let holdOutSeed: String
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp

    /// Whether an edit waits to be published.
    public var hasUnpublishedEdit: Bool { published.map { $0.version != latest.version } ?? true }

    public func state(at time: PGTimestamp, timeZone: TimeZone) -> State {
        if archivedAt != nil { return .archived }
        guard let published else { return .draft }
        guard let schedule = published.definition.schedule(in: timeZone) else { return .ended }
        if let end = schedule.end, time >= end { return .ended }
        if let start = schedule.start, time < start { return .scheduled }
        return .live
    }

    static let groupLimit = 500
}

/// One version of what a promotion says. Never changed once stored.
public struct PromotionVersion: Sendable, Equatable {
    public let version: Int32
    public let definition: PromotionDefinition
    public let note: String
    public let createdBy: String
    public let createdAt: PGTimestamp
    /// When it last became the published one.
    public let publishedAt: PGTimestamp?
}

extension PromotionDefinition {
    /// Columns that a selection may name: display columns of the dataset group.
    public static let selectableColumns = ["category", "brand"]

    /// Nil when the stored times cannot be read, which `check` does not let in.
    public func schedule(in timeZone: TimeZone) -> PromotionSchedule? {
        try? PromotionSchedule(startsAt: startsAt, endsAt: endsAt, timeZone: timeZone)
    }

    /// The rules that need no catalogue.
    func check(timeZone: TimeZone) throws(OperationError) {
        switch selection {
        case .items(let items):
            guard (1...100).contains(items.count) else { throw .invalidInput("Choose 1 to 100 items.", field: "items") }
            for item in items { try Check.externalID(item, field: "items") }
        case .values(let column, let values):
            guard Self.selectableColumns.contains(column) else {
                throw .invalidInput("Items are chosen one by one, by category or by brand.", field: "column")
            }
            guard (1...50).contains(values.count) else { throw .invalidInput("Choose 1 to 50 values.", field: "values") }
            for value in values { try Check.length(value, 1...1000, field: "values") }
        }
        switch kind {
        case .pin: try Check.range(position, 1...100, field: "position")
        case .boost:
            guard factor > 1, factor <= 100 else {
                throw .invalidInput("A boost multiplies the score by more than 1, up to 100.", field: "factor")
            }
        case .bury:
            guard factor > 0, factor < 1 else {
                throw .invalidInput("A bury multiplies the score by less than 1 and more than 0.", field: "factor")
            }
        case .hide: break
        }
        try Check.range(priority, 1...1000, field: "priority")
        guard (0...0.5).contains(holdOut) else { throw .invalidInput("The hold-out is a share from 0 to 50 %.", field: "holdOut") }
        if case .attribute(let column, let values) = audience {
            try Check.length(column, 1...150, field: "audience")
            guard (1...50).contains(values.count) else { throw .invalidInput("Choose 1 to 50 values of \(column).", field: "audience") }
        }
        _ = try PromotionSchedule(startsAt: startsAt, endsAt: endsAt, timeZone: timeZone)
    }

    /// The same with white space and doubles gone, and the factor that the kind has.
    public var tidied: PromotionDefinition {
        var tidy = self
        switch selection {
        case .items(let items): tidy.selection = .items(items.uniqueBytes)
        case .values(let column, let values): tidy.selection = .values(column: column, values.uniqueBytes)
        }
        tidy.placements = placements.uniqueBytes
        if kind == .pin || kind == .hide { tidy.factor = 1 }
        if kind != .pin { tidy.position = 1 }
        return tidy
    }
}

extension [String] {
    /// The first of each, compared by bytes.
    var uniqueBytes: [String] {
        var seen: Set<[UInt8]> = []
        return filter { text in seen.insert([UInt8](text.utf8)).inserted }
    }
}

/// One difference between two versions, in words.
public struct PromotionChange: Sendable, Equatable {
    public let field: String
    public let before: String
    public let after: String
}

extension PromotionDefinition {
    /// What it says, field by field, for people. `title` names an item.
    public func sentences(title: (String) -> String = { $0 }) -> [(field: String, text: String)] {
        let what: String =
            switch selection {
            case .items(let items): items.map(title).joined(separator: ", ")
            case .values(let column, let values): "\(column): \(values.joined(separator: ", "))"
            }
        let who: String =
            switch audience {
            case .all: "everybody"
            case .attribute(let column, let values): "visitors with \(column) \(values.joined(separator: " or "))"
            }
        let effect: String =
            switch kind {
            case .pin: "pin from position \(position)"
            case .boost: "boost, score times \(PromotionDefinition.text(factor))"
            case .bury: "bury, score times \(PromotionDefinition.text(factor))"
            case .hide: "hide"
            }
        return [
            ("What", effect), ("Items", what), ("Who", who),
            ("Where", placements.isEmpty ? "everywhere" : placements.joined(separator: ", ")),
            ("From", startsAt.map { $0.replacing("T", with: " ") } ?? "at once"),
            ("Until", endsAt.map { $0.replacing("T", with: " ") } ?? "without end"), ("Priority", String(priority)),
            ("Hold-out", "\(PromotionDefinition.text(holdOut * 100)) %"),
        ]
    }

    /// What changes from this version to another.
    public func changes(to other: PromotionDefinition, title: (String) -> String = { $0 }) -> [PromotionChange] {
        zip(sentences(title: title), other.sentences(title: title)).compactMap { before, after in
            before.text.utf8.elementsEqual(after.text.utf8)
                ? nil : PromotionChange(field: before.field, before: before.text, after: after.text)
        }
    }

    private static func text(_ number: Double) -> String {
        let rounded = (number * 100).rounded() / 100
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }
}
