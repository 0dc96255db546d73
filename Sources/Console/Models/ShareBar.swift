import Web

/// A share of one as a bar; the number stands beside it.
enum ShareBar {
    static func html(_ share: Double) -> HTML {
        var writer = MarkupWriter(reserving: 160)
        writer.markup("<svg class=\"share\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" aria-hidden=\"true\">")
        writer.markup("<rect height=\"6\" width=\"")
        writer.number(max(1, share * 100), decimals: 1)
        writer.markup("\"/></svg>")
        return writer.html
    }
}
