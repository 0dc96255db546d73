/// The interval between whose consecutive occurrences a trend is looked for.
public enum TrendWindow {
    /// The spellings of the contract, the long ones first.
    static let names = ["30 minutes", "1 hour", "3 hours", "1 day", "30 min", "1h", "3h"]

    /// Nil for an unknown spelling.
    static func seconds(_ name: String) -> Int64? {
        switch name {
        case "30 minutes", "30 min": 1800
        case "1 hour", "1h": 3600
        case "3 hours", "3h": 3 * 3600
        case "1 day": 86_400
        default: nil
        }
    }
}
