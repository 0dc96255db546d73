import Web

/// A line for each series over days, as SVG with a title and a description. Its numbers stand in a table of the same page.
struct LineChart {
    struct Series {
        let name: String
        /// Parallel to the labels; nil is a gap.
        let values: [Double?]
    }

    /// Unique in the page: letters, digits and hyphens.
    let id: StaticString
    let title: String
    let description: String
    let labels: [String]
    /// At most four: there are so many colours and dashes.
    let series: [Series]
    let format: (Double) -> String

    private static let width = 720.0
    private static let height = 200.0
    private static let left = 64.0
    private static let bottom = 24.0
    private static let top = 10.0

    var html: HTML {
        var writer = MarkupWriter(reserving: 6000)
        writer.markup("<figure>")
        if series.count > 1 { writeLegend(&writer) }
        writer.markup("<svg class=\"chart\" viewBox=\"0 0 720 200\" role=\"img\" aria-labelledby=\"")
        writer.markup(id)
        writer.markup("-title ")
        writer.markup(id)
        writer.markup("-text\"><title id=\"")
        writer.markup(id)
        writer.markup("-title\">")
        writer.text(title)
        writer.markup("</title><desc id=\"")
        writer.markup(id)
        writer.markup("-text\">")
        writer.text(description)
        writer.markup("</desc>")
        let scale = ChartScale(maximum: series.flatMap(\.values).compactMap(\.self).filter(\.isFinite).max() ?? 0)
        writeGrid(scale, &writer)
        for (index, line) in series.prefix(4).enumerated() { writeLine(line, index, scale, &writer) }
        writer.markup("</svg></figure>")
        return writer.html
    }

    private func x(_ index: Int) -> Double {
        let span = Self.width - Self.left - 12
        return labels.count < 2 ? Self.left + span / 2 : Self.left + span * Double(index) / Double(labels.count - 1)
    }

    private func y(_ value: Double, _ scale: ChartScale) -> Double {
        Self.height - Self.bottom - (Self.height - Self.bottom - Self.top) * min(value, scale.top) / scale.top
    }

    private func writeLegend(_ writer: inout MarkupWriter) {
        writer.markup("<ul class=\"legend\">")
        for (index, line) in series.prefix(4).enumerated() {
            writer.markup("<li><svg class=\"chart\" viewBox=\"0 0 32 12\" aria-hidden=\"true\"><path class=\"line ")
            writer.markup(Self.className(index))
            writer.markup("\" d=\"M1 6H31\"/></svg>")
            writer.text(line.name)
            writer.markup("</li>")
        }
        writer.markup("</ul>")
    }

    private func writeGrid(_ scale: ChartScale, _ writer: inout MarkupWriter) {
        for tick in scale.ticks {
            let height = y(tick, scale)
            writer.markup("<path class=\"grid\" d=\"M64 ")
            writer.number(height)
            writer.markup("H708\"/><text x=\"58\" y=\"")
            writer.number(height + 4)
            writer.markup("\" text-anchor=\"end\">")
            writer.text(format(tick))
            writer.markup("</text>")
        }
        let step = max(1, (labels.count + 6) / 7)
        for index in stride(from: 0, to: labels.count, by: step) {
            writer.markup("<text x=\"")
            writer.number(x(index))
            writer.markup("\" y=\"194\" text-anchor=\"middle\">")
            writer.text(labels[index])
            writer.markup("</text>")
        }
    }

    private func writeLine(_ line: Series, _ index: Int, _ scale: ChartScale, _ writer: inout MarkupWriter) {
        writer.markup("<path class=\"line ")
        writer.markup(Self.className(index))
        writer.markup("\" d=\"")
        var isDrawing = false
        for (position, value) in line.values.enumerated() {
            guard let value, !value.isNaN else {
                isDrawing = false
                continue
            }
            writer.text(isDrawing ? "L" : "M")
            writer.number(x(position), decimals: 1)
            writer.markup(" ")
            writer.number(y(value, scale), decimals: 1)
            // A point between two gaps would be invisible as a line.
            if !isDrawing { writer.markup("h0.1") }
            isDrawing = true
        }
        writer.markup("\"/>")
    }

    private static func className(_ index: Int) -> StaticString {
        switch index {
        case 0: "series-1"
        case 1: "series-2"
        case 2: "series-3"
        default: "series-4"
        }
    }
}

/// Round numbers for an axis from zero.
struct ChartScale {
    let top: Double
    let step: Double

    init(maximum: Double) {
        guard maximum.isFinite, maximum > 0 else {
            (top, step) = (1, 1)
            return
        }
        var unit = 1.0
        while unit * 10 <= maximum { unit *= 10 }
        while unit > maximum { unit /= 10 }
        let steps = [0.25, 0.5, 1, 2, 2.5, 5].map { $0 * unit }
        step = steps.first { maximum / $0 <= 4.0 } ?? unit * 5
        top = step * (maximum / step).rounded(.up)
    }

    var ticks: [Double] { Array(stride(from: 0, through: top + step / 2, by: step)) }
}

/// Estimates with their intervals around zero, one bar each.
struct IntervalChart {
    struct Row {
        let label: String
        let estimate: Double
        let lower: Double
        let upper: Double
    }

    let id: StaticString
    let title: String
    let rows: [Row]
    let format: (Double) -> String

    var html: HTML {
        let reach = rows.flatMap { [abs($0.lower), abs($0.upper)] }.filter(\.isFinite).max() ?? 0
        guard reach > 0 else { return .empty }
        var writer = MarkupWriter(reserving: 2000)
        let height = rows.count * 44 + 24
        writer.markup("<svg class=\"chart\" viewBox=\"0 0 720 ")
        writer.integer(height)
        writer.markup("\" role=\"img\" aria-labelledby=\"")
        writer.markup(id)
        writer.markup("-title\"><title id=\"")
        writer.markup(id)
        writer.markup("-title\">")
        writer.text(title)
        writer.markup("</title><path class=\"zero\" d=\"M440 4V")
        writer.integer(height - 20)
        writer.markup("\"/><text x=\"440\" y=\"")
        writer.integer(height - 6)
        writer.markup("\" text-anchor=\"middle\">no difference</text>")
        for (index, row) in rows.enumerated() { write(row, index, reach, &writer) }
        writer.markup("</svg>")
        return writer.html
    }

    private func write(_ row: Row, _ index: Int, _ reach: Double, _ writer: inout MarkupWriter) {
        let middle = Double(index * 44 + 24)
        func x(_ value: Double) -> Double { 440 + 240 * min(max(value / reach, -1), 1) }
        writer.markup("<text x=\"0\" y=\"")
        writer.number(middle + 4)
        writer.markup("\">")
        writer.text(row.label)
        writer.markup("</text><path class=\"interval\" d=\"M")
        writer.number(x(row.lower))
        writer.markup(" ")
        writer.number(middle)
        writer.markup("H")
        writer.number(x(row.upper))
        for end in [row.lower, row.upper] {
            writer.markup("M")
            writer.number(x(end))
            writer.markup(" ")
            writer.number(middle - 6)
            writer.markup("v12")
        }
        writer.markup("\"/><circle class=\"dot\" r=\"4\" cx=\"")
        writer.number(x(row.estimate))
        writer.markup("\" cy=\"")
        writer.number(middle)
        writer.markup("\"/><text x=\"")
        writer.number(x(row.estimate))
        writer.markup("\" y=\"")
        writer.number(middle - 10)
        writer.markup("\" text-anchor=\"middle\">")
        writer.text(format(row.estimate))
        writer.markup("</text>")
    }
}
