import Web

/// Two bars for each tenth of a catalogue. Its numbers stand in a table of the same page.
struct TenthsChart {
    let title: String
    let description: String
    let names: (String, String)
    /// Shares of one, the first tenth first.
    let tenths: [(first: Double, second: Double)]

    private static let left = 52.0
    private static let bottom = 176.0
    private static let top = 10.0

    var html: HTML {
        let scale = ChartScale(maximum: tenths.flatMap { [$0.first, $0.second] }.max() ?? 0)
        var writer = MarkupWriter(reserving: 6000)
        writer.markup("<figure><ul class=\"legend\">")
        writeName(names.0, "series-1", &writer)
        writeName(names.1, "series-3", &writer)
        writer.markup("</ul><svg class=\"chart\" viewBox=\"0 0 720 200\" role=\"img\" aria-labelledby=\"tenths-title tenths-text\">")
        writer.markup("<title id=\"tenths-title\">")
        writer.text(title)
        writer.markup("</title><desc id=\"tenths-text\">")
        writer.text(description)
        writer.markup("</desc>")
        for tick in scale.ticks { writeTick(tick, scale, &writer) }
        let span = (708 - Self.left) / Double(max(1, tenths.count))
        for (index, tenth) in tenths.enumerated() {
            let x = Self.left + span * Double(index)
            writeBar(tenth.first, x + span * 0.16, span * 0.32, "series-1", scale, &writer)
            writeBar(tenth.second, x + span * 0.52, span * 0.32, "series-3", scale, &writer)
            writer.markup("<text text-anchor=\"middle\" y=\"194\" x=\"")
            writer.number(x + span / 2, decimals: 1)
            writer.markup("\">")
            writer.integer(index + 1)
            writer.markup("</text>")
        }
        writer.markup("</svg></figure>")
        return writer.html
    }

    private func writeName(_ name: String, _ series: StaticString, _ writer: inout MarkupWriter) {
        writer.markup(
            "<li><svg class=\"chart\" viewBox=\"0 0 32 12\" aria-hidden=\"true\"><rect x=\"8\" width=\"16\" height=\"12\" class=\"bar ")
        writer.markup(series)
        writer.markup("\"/></svg>")
        writer.text(name)
        writer.markup("</li>")
    }

    private func writeTick(_ tick: Double, _ scale: ChartScale, _ writer: inout MarkupWriter) {
        writer.markup("<path class=\"grid\" d=\"M52 ")
        writer.number(y(tick, scale), decimals: 1)
        writer.markup("H708\"/><text text-anchor=\"end\" x=\"46\" y=\"")
        writer.number(y(tick, scale) + 4, decimals: 1)
        writer.markup("\">")
        writer.text(PageFormat.percent(tick, places: 0))
        writer.markup("</text>")
    }

    private func writeBar(
        _ value: Double, _ x: Double, _ width: Double, _ series: StaticString, _ scale: ChartScale, _ writer: inout MarkupWriter
    ) {
        let height = y(value, scale)
        writer.markup("<rect class=\"bar ")
        writer.markup(series)
        writer.markup("\" x=\"")
        writer.number(x, decimals: 1)
        writer.markup("\" y=\"")
        writer.number(height, decimals: 1)
        writer.markup("\" width=\"")
        writer.number(width, decimals: 1)
        writer.markup("\" height=\"")
        writer.number(Self.bottom - height, decimals: 1)
        writer.markup("\"/>")
    }

    private func y(_ value: Double, _ scale: ChartScale) -> Double {
        Self.bottom - (Self.bottom - Self.top) * min(max(value, 0), scale.top) / scale.top
    }
}
