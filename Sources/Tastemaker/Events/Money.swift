import Foundation
import JSON

/// Amounts as decimal text with at most four places, exact: binary fractions would not add up.
struct Money: Equatable {
    let amount: Decimal

    /// Beyond it an amount is a mistake, and the column could not hold a sum of them.
    static let limit = Decimal(1_000_000_000)

    init?(_ amount: Decimal) {
        guard amount.isFinite, abs(amount) <= Money.limit else { return nil }
        var source = amount
        var rounded = Decimal()
        NSDecimalRound(&rounded, &source, 4, .bankers)
        self.amount = rounded
    }

    /// A number, or a text that holds nothing but a number.
    init?(_ value: JSONValue?) {
        let text: String
        switch value {
        case .integer(let number): text = String(number)
        case .double(let number): text = "\(number)"
        case .string(let given):
            guard given.utf8.count <= 40, Double(given) != nil else { return nil }
            text = given
        default: return nil
        }
        guard let amount = Decimal(string: text, locale: Locale(identifier: "en_US_POSIX")) else { return nil }
        self.init(amount)
    }

    func times(_ quantity: Money) -> Money? { Money(amount * quantity.amount) }

    var negative: Money? { Money(-abs(amount)) }

    var text: String { "\(amount)" }
    var float: Float { Float(truncating: amount as NSDecimalNumber) }

    /// Three letters, in capitals; nil for anything else.
    static func currency(_ value: JSONValue?) -> String? {
        guard let text = value?.stringValue?.uppercased(), text.utf8.count == 3, text.utf8.allSatisfy({ (0x41...0x5A).contains($0) })
        else { return nil }
        return text
    }
}
