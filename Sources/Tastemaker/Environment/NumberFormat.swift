/// Numbers as people read them, the same in sentences of the core and in tables of the console.
public enum NumberFormat {
    /// `1,204,331`
    public static func grouped(_ value: some BinaryInteger) -> String {
        let digits = String(value.magnitude)
        var text = ""
        for (offset, digit) in digits.enumerated() {
            if offset > 0, (digits.count - offset).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return value < 0 ? "−" + text : text
    }

    /// Rounded to so many decimals: `0.0312`, `1,204.50`.
    public static func decimal(_ value: Double, places: Int) -> String {
        guard value.isFinite else { return "–" }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = (abs(value) * scale).rounded()
        guard scaled < 9e15 else { return "–" }
        let whole = Int(scaled) / Int(scale)
        let fraction = String(Int(scaled) % Int(scale))
        let sign = value < 0 && scaled > 0 ? "−" : ""
        guard places > 0 else { return sign + grouped(whole) }
        return sign + grouped(whole) + "." + String(repeating: "0", count: places - fraction.count) + fraction
    }

    /// `€4,318.20`; another currency than the common ones stands after the number. Currencies without a small unit have no decimals unless
    /// `places` says so.
    public static func money(_ value: Double, currency: String, places: Int? = nil) -> String {
        let amount = decimal(abs(value), places: places ?? (["JPY", "KRW", "CLP", "VND"].contains(currency) ? 0 : 2))
        let sign = value < 0 ? "−" : ""
        let symbols = ["EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"]
        if let symbol = symbols[currency] { return sign + symbol + amount }
        return "\(sign)\(amount) \(currency)"
    }
}
