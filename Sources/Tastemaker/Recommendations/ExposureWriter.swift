import Dispatch
import Logging
import Postgres
import Locks

/// Stores who was put into which arm, before anything of the arm is shown.
///
/// Callers wait for a commit that holds their exposure. The first of those who wait commits for all of them; meanwhile the next gather.
/// What is known to be stored costs nothing further, for the process remembers it.
final class ExposureWriter: Sendable {
    /// Callers that may wait at one time.
    static let waitingLimit = 1000
    /// A statement's time; a visitor whose exposure takes longer stays outside.
    private static let milliseconds = 1000
    /// The memory has two halves of this many pairs: the full one becomes the old one, and the old one is forgotten.
    private static let halfLimit = 100_000

    fileprivate struct Key: Hashable {
        let experimentID: Int32
        let unit: String

        static func == (first: Key, second: Key) -> Bool {
            first.experimentID == second.experimentID && first.unit.utf8.elementsEqual(second.unit.utf8)
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(experimentID)
            var unit = unit
            unit.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }

    fileprivate enum Outcome {
        case stored, failed
        /// Commit for those who wait now.
        case lead
    }

    fileprivate final class Ticket: Sendable {
        let exposure: NewExposure
        let answered = DispatchSemaphore(value: 0)
        let outcome = Lock(Outcome.failed)

        init(_ exposure: NewExposure) { self.exposure = exposure }

        func answer(_ outcome: Outcome) {
            self.outcome.withLock { $0 = outcome }
            answered.signal()
        }
    }

    fileprivate struct State {
        var waiting: [Ticket] = []
        var isCommitting = false
        var isClosed = false
        /// The interned unit of a stored exposure.
        var known: [Key: Int32] = [:]
        var knownBefore: [Key: Int32] = [:]
        /// No attempt before it: the database refused a moment ago.
        var closedUntil: ContinuousClock.Instant?
    }

    private enum Entry {
        case known, refused
        case lead(Ticket)
        case wait(Ticket)
    }

    private let pool: Pool
    private let state = Lock(State())
    private let log = Logger(label: "tastemaker.exposures")

    init(environment: Environment) {
        pool = environment.database.sibling(limit: 2, timeoutMilliseconds: Self.milliseconds) { settings in
            settings.statementTimeoutMilliseconds = Self.milliseconds
            settings.graceMilliseconds = Self.milliseconds / 2
            settings.connectTimeoutMilliseconds = Self.milliseconds
        }
    }

    deinit { pool.close() }

    /// Refuses what is not known to be stored.
    func close() { state.withLock { $0.isClosed = true } }

    /// Whether the exposure is stored; by this call or before.
    /// - Parameter reading: what the request read of the visitor. Without it the database is away, and only what is known counts; with it
    ///   an id that the group has forgotten meanwhile is not taken for the one that was stored.
    func store(_ exposure: NewExposure, unitID: Int32?, reading: Bool) -> Bool {
        let key = Key(experimentID: exposure.experimentID, unit: exposure.unit)
        switch enter(exposure, key, unitID: unitID, reading: reading) {
        case .known: return true
        case .refused: return false
        case .lead(let ticket): return lead(ticket)
        case .wait(let ticket):
            // Bounded by the statements of those who lead.
            ticket.answered.wait()
            switch ticket.outcome.withLock({ $0 }) {
            case .stored: return true
            case .failed: return false
            case .lead: return lead(ticket)
            }
        }
    }

    private func enter(_ exposure: NewExposure, _ key: Key, unitID: Int32?, reading: Bool) -> Entry {
        state.withLock { state in
            if let stored = state.recall(key, limit: Self.halfLimit), !reading || stored == unitID { return .known }
            guard reading, !state.isClosed, state.waiting.count < Self.waitingLimit else { return .refused }
            if let until = state.closedUntil {
                guard ContinuousClock.now >= until else { return .refused }
                state.closedUntil = nil
            }
            let ticket = Ticket(exposure)
            state.waiting.append(ticket)
            guard !state.isCommitting else { return .wait(ticket) }
            state.isCommitting = true
            return .lead(ticket)
        }
    }

    /// Commits for all who wait, of whom `own` is one, and hands the lead to the first of those who came meanwhile.
    private func lead(_ own: Ticket) -> Bool {
        let batch = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        var units: [Int32?]?
        do { units = try commit(batch.map(\.exposure)) } catch {
            log.warning(
                "exposures not stored", metadata: ["count": "\(batch.count)", "reason": "\(OperationError(error).message)"])
        }
        let next = state.withLock { state in
            if let units {
                for (ticket, unit) in zip(batch, units) {
                    guard let unit else { continue }
                    let key = Key(experimentID: ticket.exposure.experimentID, unit: ticket.exposure.unit)
                    state.remember(key, unit, limit: Self.halfLimit)
                }
            } else {
                state.closedUntil = .now + .milliseconds(500)
            }
            state.isCommitting = !state.waiting.isEmpty
            return state.waiting.first
        }
        var isStored = false
        for (index, ticket) in batch.enumerated() {
            let isIn = units?[index] != nil
            if ticket === own { isStored = isIn } else { ticket.answer(isIn ? .stored : .failed) }
        }
        next?.answer(.lead)
        return isStored
    }

    /// The interned unit of each exposure; nil for one that was forgotten in between.
    private func commit(_ exposures: [NewExposure]) throws -> [Int32?] {
        var ids: [Key: Int32] = [:]
        try pool.withConnection { (connection) throws -> Void in
            // Ids first, in a transaction of their own: making one locks the group's counters.
            for (group, members) in Dictionary(grouping: exposures, by: \.datasetGroupID).sorted(by: { $0.key < $1.key }) {
                let units = members.map(\.unit)
                let found = try ShownQueries.intern(units, groupID: group, connection)
                // Fewer come back when one was erased meanwhile: then who is who cannot be told.
                guard found.count == units.count else { continue }
                for (member, id) in zip(members, found) { ids[Key(experimentID: member.experimentID, unit: member.unit)] = id }
            }
            let known = exposures.compactMap { exposure in
                ids[Key(experimentID: exposure.experimentID, unit: exposure.unit)].map { (exposure: exposure, unit: $0) }
            }
            if !known.isEmpty { try ShownQueries.insertExposures(known, connection) }
        }
        return exposures.map { ids[Key(experimentID: $0.experimentID, unit: $0.unit)] }
    }
}

extension ExposureWriter.State {
    fileprivate mutating func recall(_ key: ExposureWriter.Key, limit: Int) -> Int32? {
        if let unit = known[key] { return unit }
        guard let unit = knownBefore[key] else { return nil }
        remember(key, unit, limit: limit)
        return unit
    }

    fileprivate mutating func remember(_ key: ExposureWriter.Key, _ unit: Int32, limit: Int) {
        if known.count >= limit {
            knownBefore = known
            known = [:]
        }
        known[key] = unit
    }
}
