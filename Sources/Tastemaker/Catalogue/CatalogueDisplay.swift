import FilterLanguage

extension CatalogueSnapshot {
    /// What people see of an item.
    func display(_ item: Int32, _ columns: DisplayColumns) -> ItemDisplay {
        guard item >= 0, Int(item) < rowCount else { return ItemDisplay() }
        return ItemDisplay(
            title: text(item, columns.title), link: text(item, columns.link), image: text(item, columns.image),
            price: text(item, columns.price, isMoney: true), category: text(item, columns.category))
    }

    func title(_ item: Int32, _ columns: DisplayColumns) -> String? { text(item, columns.title) }

    private func text(_ item: Int32, _ column: String?, isMoney: Bool = false) -> String? {
        guard let column, item >= 0, Int(item) < rowCount, let value = self.columns.value(row: Int(item), column: column) else {
            return nil
        }
        switch value {
        case .null: return nil
        case .text(let text): return text
        case .number(let number): return isMoney ? CatalogueSnapshot.money(number) : CatalogueSnapshot.decimal(number)
        }
    }

    /// The requested columns of an item by lower-case name, nulls left out. Numbers of float columns keep their fraction.
    func metadata(_ item: Int32, _ names: [String]) -> [(column: String, value: String)] {
        guard item >= 0, Int(item) < rowCount else { return [] }
        return names.compactMap { name in
            guard let column = schema.column(name), let value = columns.value(row: Int(item), column: column.name) else { return nil }
            switch value {
            case .null: return nil
            case .text(let text): return (column.name.lowercased(), text)
            case .number(let number):
                return (column.name.lowercased(), column.isWhole ? CatalogueSnapshot.decimal(number) : number.description)
            }
        }
    }

    private static func decimal(_ number: Double) -> String {
        Int64(exactly: number).map { String($0) } ?? number.description
    }

    /// At least two decimals: 19.5 is shown as 19.50.
    private static func money(_ number: Double) -> String {
        guard abs(number) < 1e12 else { return number.description }
        let cents = Int64((abs(number) * 100).rounded())
        let fraction = String(cents % 100)
        return (number < 0 ? "-" : "") + "\(cents / 100)." + (fraction.utf8.count == 1 ? "0" : "") + fraction
    }
}
