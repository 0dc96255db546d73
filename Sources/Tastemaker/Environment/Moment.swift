public import Postgres

/// A point in time, for modules that know no database.
public typealias Moment = PGTimestamp

extension Moment {
    /// Seconds since 1970 with milliseconds, as the contract sends them.
    public var epochSeconds: Double { (Double(microseconds) / 1000).rounded(.down) / 1000 }
}
