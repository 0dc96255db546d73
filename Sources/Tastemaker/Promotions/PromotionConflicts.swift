import Foundation
import Postgres

/// Something about a promotion that will not do what its author thinks.
public struct PromotionConflict: Sendable, Equatable {
    public enum Severity: String, Sendable {
        /// It cannot be published so.
        case error
        /// It can, but look at it.
        case warning
    }

    public let severity: Severity
    public let sentence: String

    static func error(_ sentence: String) -> PromotionConflict { PromotionConflict(severity: .error, sentence: sentence) }
    static func warning(_ sentence: String) -> PromotionConflict { PromotionConflict(severity: .warning, sentence: sentence) }
}

/// Looks for conflicts of one promotion with itself, with the catalogue and with the published ones. Pure: what is in the database is given.
struct PromotionCheck {
    let definition: PromotionDefinition
    /// Items that the selection means, as far as the catalogue knows them; of a column's values at most a few hundred.
    let items: [String]
    let others: [(name: String, definition: PromotionDefinition, items: [String])]
    let placements: [Placement]
    let now: PGTimestamp
    let timeZone: TimeZone

    func conflicts() -> [PromotionConflict] {
        var found: [PromotionConflict] = []
        if items.isEmpty {
            if case .items = definition.selection {
                found.append(.error("None of its items is in the catalogue: it would do nothing."))
            } else {
                found.append(.warning("No item has one of these values now: it does nothing until one does."))
            }
        } else if case .items(let chosen) = definition.selection, items.count < chosen.count {
            found.append(.warning("\(chosen.count - items.count) of its \(chosen.count) items are not in the catalogue."))
        }
        if let end = definition.schedule(in: timeZone)?.end, end <= now { found.append(.error("Its end has passed: it would never act.")) }
        found += placementConflicts()
        for other in others where overlaps(other.definition) { found += conflicts(with: other) }
        return found
    }

    private func placementConflicts() -> [PromotionConflict] {
        let reached = placements.filter { definition.reaches($0.name) }
        guard definition.kind == .pin, let longest = reached.map(\.itemCount).max() else { return [] }
        if definition.position > longest {
            return [.error("Position \(definition.position) lies outside every list: the longest has \(longest) items.")]
        }
        let last = definition.position + items.count - 1
        return last > longest ? [.warning("It has more pins than places: the last ones fall off lists of \(longest) items.")] : []
    }

    private func conflicts(with other: (name: String, definition: PromotionDefinition, items: [String])) -> [PromotionConflict] {
        let mine = Set(items.map { Array($0.utf8) })
        let shared = other.items.count { mine.contains(Array($0.utf8)) }
        switch (definition.kind, other.definition.kind) {
        case (.pin, .hide) where shared > 0:
            return [.warning("\(Self.count(shared)) it pins is hidden by '\(other.name)'. Hide wins.")]
        case (.hide, .pin) where shared > 0:
            return [.warning("\(Self.count(shared)) it hides is pinned by '\(other.name)'. Hide wins.")]
        case (.pin, .pin):
            let range = definition.position..<(definition.position + max(items.count, 1))
            let taken = other.definition.position..<(other.definition.position + max(other.items.count, 1))
            guard range.overlaps(taken) else { return [] }
            let winner = definition.priority < other.definition.priority ? "This one" : "'\(other.name)'"
            return [
                .warning(
                    "'\(other.name)' pins to position \(max(range.lowerBound, taken.lowerBound)) too. \(winner) comes first by priority.")
            ]
        case (.boost, .bury) where shared > 0, (.bury, .boost) where shared > 0:
            return [.warning("\(Self.count(shared)) it moves is moved the other way by '\(other.name)'; the lower priority number wins.")]
        default: return []
        }
    }

    private static func count(_ items: Int) -> String { items == 1 ? "One item that" : "\(items) items: each that" }

    /// Whether both can act at once on one list.
    private func overlaps(_ other: PromotionDefinition) -> Bool {
        let places = definition.placements.isEmpty || other.placements.isEmpty || definition.placements.contains { other.reaches($0) }
        guard places, let mine = definition.schedule(in: timeZone), let theirs = other.schedule(in: timeZone) else { return false }
        let start = max(mine.start ?? .distantPast, theirs.start ?? .distantPast, now)
        return start < min(mine.end ?? .distantFuture, theirs.end ?? .distantFuture)
    }
}

extension PromotionDefinition {
    /// Whether it acts in a placement.
    public func reaches(_ placement: String) -> Bool {
        placements.isEmpty || placements.contains { $0.utf8.elementsEqual(placement.utf8) }
    }
}
