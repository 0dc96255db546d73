import Foundation

/// What a column of metadata holds, told by its values where no schema says it.
///
/// Numbers, when nine tenths of the values are numbers; the rest counts as missing. Text, when values have three words or more on
/// average and come again in less than half of the records, or have eight words or more: titles and descriptions. Categories
/// otherwise, several of them separated by |.
public enum ColumnShape: String, Sendable {
    case numbers, categories, text

    /// Values looked at.
    private static let sampleLimit = 10_000

    public init(of values: some Sequence<String>) {
        var filled = 0
        var numbers = 0
        var words = 0
        var lists = 0
        var distinct = Set<[UInt8]>()
        for value in values where !value.isEmpty {
            filled += 1
            if Self.number(value).isFinite { numbers += 1 }
            if value.utf8.contains(UInt8(ascii: "|")) { lists += 1 }
            words += value.utf8.prefix(2000).split { $0 == 0x20 || $0 == 0x0A || $0 == 0x09 }.count
            distinct.insert(Array(value.utf8.prefix(256)))
            if filled == Self.sampleLimit { break }
        }
        if filled > 0, numbers * 10 >= filled * 9 {
            self = .numbers
        } else if lists * 4 < filled, words >= 8 * filled || (words >= 3 * filled && distinct.count * 2 > filled) {
            self = .text
        } else {
            self = .categories
        }
    }

    /// Values as the shape has them.
    public func column(_ name: String, _ values: [String]) -> MetadataColumn {
        switch self {
        case .numbers: return MetadataColumn(name: name, values: .numbers(values.map(Self.number)))
        case .text: return MetadataColumn(name: name, values: .texts(values))
        case .categories:
            var lists = CategoryLists()
            for value in values { lists.append(Self.categories(in: value)) }
            return MetadataColumn(name: name, values: .categories(lists))
        }
    }

    /// NaN for what is no finite number.
    public static func number(_ text: String) -> Float {
        Float(text.trimmingCharacters(in: .whitespaces)).flatMap { $0.isFinite ? $0 : nil } ?? .nan
    }

    public static func categories(in text: String) -> [Substring] {
        text.split(separator: "|").map { Substring($0.trimmingCharacters(in: .whitespaces)) }.filter { !$0.isEmpty }
    }
}
