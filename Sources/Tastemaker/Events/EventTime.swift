import Feeds
import JSON
import Postgres

/// Times that clients send: epoch seconds or milliseconds as a number or a text, or ISO 8601.
enum EventTime {
    /// How far ahead of ours a client's clock may be.
    static let futureLimit: Int64 = 24 * 3600 * 1_000_000
    /// An event that waited longer in a browser than this is refused: the ids that tell its repetition are gone.
    static let ageLimit: Int64 = 8 * 24 * 3600 * 1_000_000

    /// Nil for what is no time between 1970 and 2100.
    static func parse(_ value: JSONValue) -> PGTimestamp? {
        let time: PGTimestamp?
        if let number = value.doubleValue {
            // As seconds, 10^11 would lie after the year 5138.
            time = PGTimestamp(seconds: number >= 1e11 ? number / 1000 : number)
        } else {
            time = value.stringValue.flatMap { EventDate(parsing: $0) }.flatMap { date in
                guard date.seconds <= ValueLimits.latestTimestamp else { return nil }
                return PGTimestamp(microseconds: date.seconds * 1_000_000 + Int64(date.nanoseconds / 1000))
            }
        }
        guard let time, time.microseconds >= 0, time.microseconds <= ValueLimits.latestTimestamp * 1_000_000 else { return nil }
        return time
    }

    /// The member of an event from a server's door: required, and at most a day ahead of our clock.
    static func read(_ members: InputMembers, _ name: String, now: PGTimestamp) throws(OperationError) -> PGTimestamp {
        let field = members.fullName(name)
        let given = try Check.required(members.value(name), field: field)
        guard let time = parse(given) else {
            throw .invalidInput("'\(field)' must be a time between 1970 and 2100: epoch seconds, or ISO 8601.", field: field)
        }
        guard time.microseconds - now.microseconds <= futureLimit else {
            throw .invalidInput("'\(field)' lies more than 24 hours in the future.", field: field)
        }
        return time
    }

    /// The moment of an event by our clock: as long before its receipt as it was before its sending. A client's clock that is days
    /// wrong is wrong in both, and drops out.
    static func corrected(_ timestamp: PGTimestamp, sentAt: PGTimestamp?, receivedAt: PGTimestamp) -> PGTimestamp {
        let age = (sentAt ?? receivedAt).microseconds - timestamp.microseconds
        return PGTimestamp(microseconds: receivedAt.microseconds - max(0, age))
    }
}
