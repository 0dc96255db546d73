import Dispatch
import Foundation
import Logging
import Postgres
import Locks

/// Group commit for events: a bounded queue and one writer thread; callers are answered after the commit that holds their events.
/// While a commit runs, what arrives waits for the next one, so batches grow with the load and a lone event waits for nobody.
public final class EventWriter: Sendable {
    /// Events that may wait; beyond it callers are refused and told to come back.
    public static let queueLimit = 10_000
    /// Events of one transaction.
    public static let batchLimit = 500
    /// Of a batch that the database rolled back for the sake of another transaction.
    private static let attemptLimit = 3
    static let waitLimit = DispatchTimeInterval.seconds(15)

    /// One caller's events, and the answer the caller waits for.
    private final class Ticket: Sendable {
        let events: [NewEvent]
        let answered = DispatchSemaphore(value: 0)
        let answer = Lock<Result<[EventOutcome], OperationError>?>(nil)

        init(_ events: [NewEvent]) { self.events = events }

        func finish(_ result: Result<[EventOutcome], OperationError>) {
            answer.withLock { $0 = result }
            answered.signal()
        }
    }

    private struct Queue {
        var tickets: [Ticket] = []
        var count = 0
        var isClosed = false
    }

    /// The doors through which this process takes events.
    public let doors: EventDoors
    private let environment: Environment
    private let queue = Lock(Queue())
    private let work = DispatchSemaphore(value: 0)
    private let knownParts = Lock<Set<String>>([])
    private let log = Logger(label: "tastemaker.events")

    public init(environment: Environment) {
        self.environment = environment
        doors = EventDoors(environment: environment)
        let thread = Thread { [self] in run() }
        thread.name = "event writer"
        thread.start()
    }

    /// Stores the events and waits for the commit. Outcomes are in the order of the events.
    /// - Throws: `limitExceeded` when the queue is full; `unavailable` when the database cannot say whether they are stored: sending
    ///   them again is safe.
    public func append(_ events: [NewEvent]) throws(OperationError) -> [EventOutcome] {
        guard !events.isEmpty else { return [] }
        let isKept = doors.withinLimit(events)
        var outcomes = try enqueue(zip(events, isKept).filter(\.1).map(\.0))[...]
        return zip(events, isKept).map { event, isKept in
            if case .refused(let reason) = event.kind, !isKept { return .rejected(reason: reason) }
            return outcomes.popFirst() ?? .rejected(reason: "The event was not stored.")
        }
    }

    private func enqueue(_ events: [NewEvent]) throws(OperationError) -> [EventOutcome] {
        guard !events.isEmpty else { return [] }
        let ticket = Ticket(events)
        let isQueued = queue.withLock { queue in
            guard !queue.isClosed, queue.count + events.count <= Self.queueLimit else { return false }
            queue.tickets.append(ticket)
            queue.count += events.count
            return true
        }
        guard isQueued else { throw .limitExceeded("Too many events are waiting. Send them again in a second.") }
        work.signal()
        guard ticket.answered.wait(timeout: .now() + Self.waitLimit) == .success, let result = ticket.answer.withLock({ $0 }) else {
            throw .unavailable("The database did not answer in time. Send the events again: they are stored once.")
        }
        return try result.get()
    }

    /// Refuses further events and lets the writer finish what is queued.
    public func close() {
        queue.withLock { $0.isClosed = true }
        work.signal()
    }

    private func run() {
        while true {
            work.wait()
            while let batch = nextBatch() { store(batch) }
            if queue.withLock({ $0.isClosed && $0.tickets.isEmpty }) { return }
        }
    }

    /// Whole tickets, in order of arrival, up to the batch's limit; nil when nothing waits.
    private func nextBatch() -> [Ticket]? {
        queue.withLock { queue in
            guard !queue.tickets.isEmpty else { return nil }
            var count = 0
            var taken = 0
            for ticket in queue.tickets {
                if taken > 0, count + ticket.events.count > Self.batchLimit { break }
                count += ticket.events.count
                taken += 1
            }
            let batch = Array(queue.tickets.prefix(taken))
            queue.tickets.removeFirst(taken)
            queue.count -= count
            return batch
        }
    }

    private func store(_ batch: [Ticket]) {
        do {
            let outcomes = try commit(batch.flatMap(\.events))
            var start = 0
            for ticket in batch {
                ticket.finish(.success(Array(outcomes[start..<start + ticket.events.count])))
                start += ticket.events.count
            }
        } catch {
            knownParts.withLock { $0.removeAll() }
            if !Self.isRefusal(error) {
                note(error, count: batch.reduce(0) { $0 + $1.events.count })
                for ticket in batch { ticket.finish(.failure(OperationError(error).asOutage)) }
            } else if batch.count > 1 {
                for ticket in batch { store([ticket]) }
            } else {
                for ticket in batch { storeSingly(ticket) }
            }
        }
    }

    /// One bad event must not cost the others theirs; and where only the month was new, all of them are stored now.
    private func storeSingly(_ ticket: Ticket) {
        do {
            var outcomes: [EventOutcome] = []
            for event in ticket.events {
                do {
                    outcomes += try commit([event])
                } catch  where Self.isRefusal(error) {
                    note(error, count: 1)
                    outcomes.append(.rejected(reason: OperationError(error).message))
                }
            }
            ticket.finish(.success(outcomes))
        } catch {
            note(error, count: ticket.events.count)
            ticket.finish(.failure(OperationError(error).asOutage))
        }
    }

    private func commit(_ events: [NewEvent]) throws -> [EventOutcome] {
        try prepareParts(for: events)
        var attempt = 1
        while true {
            do {
                return try environment.database.withConnection { connection in
                    try connection.transaction { try environment.storeEvents(events, $0) }
                }
            } catch let error as PostgresError where error.isSerializationFailure && attempt < Self.attemptLimit {
                attempt += 1
            }
        }
    }

    /// The database refused a value, and stored nothing. Anything else says nothing about the events.
    private static func isRefusal(_ error: any Error) -> Bool {
        guard let error = error as? PostgresError else { return false }
        return !error.outcomeUnknown && (error.code.hasPrefix("22") || error.code.hasPrefix("23"))
    }

    private func note(_ error: any Error, count: Int) {
        log.error("events not stored", metadata: ["count": "\(count)", "reason": "\(OperationError(error).message)"])
    }

    private func prepareParts(for events: [NewEvent]) throws(OperationError) {
        let part = InteractionPart.month(of: environment.now())
        for group in Set(events.map(\.datasetGroupID)) {
            let name = "\(group)/\(part)"
            if knownParts.withLock({ $0.contains(name) }) { continue }
            try environment.prepareInteractionPart(datasetGroupID: group)
            knownParts.withLock { known in
                if known.count > 10_000 { known.removeAll() }
                known.insert(name)
            }
        }
    }
}

extension OperationError {
    /// What went wrong while storing is never a refusal of the events: they may be sent again.
    fileprivate var asOutage: OperationError { isOutage ? self : .unavailable(message) }
}
