import Postgres
import Locks

/// The doors of a worker process, opened once in a while: an event costs no query about its tracker.
public final class EventDoors: Sendable {
    private struct Entry {
        let door: EventDoor
        let openedAt: ContinuousClock.Instant
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// Refused events kept in this minute, by group.
        var refusals: [Int32: Int] = [:]
        var minute: Int64 = 0
    }

    /// How long a change of origins, secret or columns may take to act.
    static let lifetime = Duration.seconds(2)
    private static let limit = 1000
    /// How long the one who opens it again may wait where a door is known: recommendations must not hang while the database is away.
    private static let reopeningMilliseconds = 250
    /// Refused events that the console gets to see, a minute: a public key must not fill the disk.
    static let refusalLimit = 60

    private let environment: Environment
    private let actionDoors = KeptValues<ActionDoor>(lifetime: 2)
    private let state = Lock(State())

    init(environment: Environment) {
        self.environment = environment
    }

    /// The door of a tracking id; nil for an id that no tracker has. A new tracker, and a new Interactions dataset, act at once.
    public func open(_ trackingID: String) throws(OperationError) -> EventDoor? {
        let id = trackingID.lowercased()
        let now = ContinuousClock.now
        let known = state.withLock { state -> Entry? in
            guard let known = state.entries[id] else { return nil }
            // One opens it again; the others go on with what is known.
            if now - known.openedAt >= EventDoors.lifetime { state.entries[id] = Entry(door: known.door, openedAt: now) }
            return known
        }
        if let known, now - known.openedAt < EventDoors.lifetime { return known.door }
        let found: EventDoor?
        do throws(OperationError) {
            found = try environment.openEventDoor(trackingID: id, waitMilliseconds: known == nil ? nil : EventDoors.reopeningMilliseconds)
        } catch {
            // While the database is away, a door known before stays open: recommendations need no more.
            guard let known, error.isOutage else { throw error }
            return known.door
        }
        state.withLock { state in
            guard let door = found, door.isOpen else { return state.entries[id] = nil }
            if state.entries[id] == nil, state.entries.count >= EventDoors.limit { state.entries.removeAll(keepingCapacity: true) }
            state.entries[id] = Entry(door: door, openedAt: now)
        }
        return found
    }

    /// The door of an Action interactions dataset's tracking id; nil for an id that no such dataset has.
    public func openActions(_ trackingID: String) throws(OperationError) -> ActionDoor? {
        try actionDoors.find(trackingID.lowercased(), now: environment.now()) { wait throws(OperationError) in
            try environment.openActionDoor(trackingID: trackingID, waitMilliseconds: wait)
        }
    }

    /// Leaves away the refused events beyond the limit; they are answered all the same.
    func withinLimit(_ events: [NewEvent]) -> [Bool] {
        let minute = environment.now().microseconds / 60_000_000
        return state.withLock { state in
            if state.minute != minute {
                state.minute = minute
                state.refusals.removeAll(keepingCapacity: true)
            }
            return events.map { event in
                guard case .refused = event.kind else { return true }
                state.refusals[event.datasetGroupID, default: 0] += 1
                return state.refusals[event.datasetGroupID, default: 0] <= EventDoors.refusalLimit
            }
        }
    }
}
