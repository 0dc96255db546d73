/// How long to wait before a dead process is started again: not at all the first time, then ever longer while it dies young.
struct RestartPolicy {
    /// A process that lived this long was healthy; its death starts a new count.
    static let healthyMilliseconds = 10_000
    static let longestDelay = 30_000

    /// Deaths in a row without a healthy life between them.
    private(set) var deaths = 0

    /// Counts a death and answers the milliseconds to wait.
    mutating func died(afterMilliseconds lifetime: Int) -> Int {
        deaths = lifetime >= Self.healthyMilliseconds ? 1 : deaths + 1
        if deaths == 1 { return 0 }
        return min(Self.longestDelay, 100 << min(deaths - 2, 10))
    }
}
