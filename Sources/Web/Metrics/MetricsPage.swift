/// Writes sums as Prometheus text: families with their type, buckets cumulated, times in seconds.
struct MetricsPage {
    private var page = ""

    init(families: [MetricFamily], values: [String: UInt64]) {
        for family in families {
            let name = family.name.description
            switch family.kind {
            case .counter:
                let series = values.filter { Self.family(of: $0.key).elementsEqual(name.utf8) }
                head(family, "counter", isEmpty: series.isEmpty)
                for (key, value) in series.sorted(by: { $0.key < $1.key }) { page += "\(key) \(value)\n" }
            case .histogram(let bounds): histogram(family, bounds, values)
            }
        }
    }

    var text: [UInt8] { Array(page.utf8) }

    private mutating func head(_ family: MetricFamily, _ type: String, isEmpty: Bool) {
        guard !isEmpty else { return }
        page += "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(type)\n"
    }

    private mutating func histogram(_ family: MetricFamily, _ bounds: [Double], _ values: [String: UInt64]) {
        let sumName = family.name.description + "_sum"
        let sums = values.filter { Self.family(of: $0.key).elementsEqual(sumName.utf8) }.sorted { $0.key < $1.key }
        head(family, "histogram", isEmpty: sums.isEmpty)
        for (key, nanoseconds) in sums {
            let labels = String(decoding: key.utf8.dropFirst(sumName.utf8.count), as: UTF8.self)
            var cumulated: UInt64 = 0
            for bound in bounds.map({ "\($0)" }) + ["+Inf"] {
                let series = "\(family.name)_bucket" + Self.adding("le=\"\(bound)\"", to: labels)
                cumulated += values[series] ?? 0
                page += "\(series) \(cumulated)\n"
            }
            page += "\(sumName)\(labels) \(Double(nanoseconds) / 1e9)\n"
            page += "\(family.name)_count\(labels) \(cumulated)\n"
        }
    }

    private static func family(of series: String) -> Substring.UTF8View {
        Substring(series).utf8.prefix { $0 != UInt8(ascii: "{") }
    }

    private static func adding(_ label: String, to labels: String) -> String {
        labels.isEmpty ? "{\(label)}" : labels.dropLast() + ",\(label)}"
    }
}
