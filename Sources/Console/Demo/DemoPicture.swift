import Tastemaker
import Web

/// Draws a product of the demo shop: the shape of its category in the colours of its style, on a ground that its seed chooses. Some
/// hundred bytes each, so that no file needs to be kept.
struct DemoPicture {
    /// Drawn in this order. Coordinates lie in a square of 120.
    struct Layer {
        enum Tone { case main, light, dark, accent }
        let tone: Tone
        let path: StaticString
        /// Drawn as a line of this width instead of a filled area.
        var line: Int?
    }

    private let product: DemoProduct

    init(_ product: DemoProduct) {
        self.product = product
    }

    var svg: HTML {
        let palette = DemoPalette(style: product.style, look: product.look)
        var writer = MarkupWriter(reserving: 1600)
        writer.markup("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 120 120\" role=\"img\"><title>")
        writer.text(product.title)
        writer.markup("</title><path fill=\"")
        palette.ground.write(to: &writer)
        writer.markup("\" d=\"M0 0h120v120H0z\"/>")
        drawOrnament(palette, &writer)
        writer.markup("<ellipse cx=\"60\" cy=\"102\" rx=\"36\" ry=\"4\" opacity=\".14\"/>")
        let layers = product.category < DemoShapes.all.count ? DemoShapes.all[product.category] : []
        for layer in layers {
            writer.markup("<path d=\"")
            writer.markup(layer.path)
            if let line = layer.line {
                writer.markup("\" fill=\"none\" stroke-linecap=\"round\" stroke-linejoin=\"round\" stroke-width=\"")
                writer.integer(line)
                writer.markup("\" stroke=\"")
            } else {
                writer.markup("\" fill=\"")
            }
            palette[layer.tone].write(to: &writer)
            writer.markup("\"/>")
        }
        writer.markup("</svg>")
        return writer.html
    }

    /// What stands behind the product.
    private func drawOrnament(_ palette: DemoPalette, _ writer: inout MarkupWriter) {
        writer.markup("<g fill=\"")
        palette.backdrop.write(to: &writer)
        writer.markup("\">")
        switch product.look >> 40 % 5 {
        case 0: writer.markup("<circle cx=\"60\" cy=\"58\" r=\"44\"/>")
        case 1: writer.markup("<path d=\"M20 120V62a40 40 0 0 1 80 0v58z\"/>")
        case 2: writer.markup("<path d=\"M0 84q30-16 60 0t60 0v36H0z\"/>")
        case 3: writer.markup("<path d=\"M0 0h20v120H0zM40 0h20v120H40zM80 0h20v120H80z\"/>")
        default: writer.markup("<path d=\"M60 6l54 54-54 54L6 60z\"/>")
        }
        writer.markup("</g>")
    }
}

/// Hue, saturation and lightness; the hue in degrees, the others in per cent.
struct DemoColor {
    var hue: Int
    var saturation: Int
    var lightness: Int

    func write(to writer: inout MarkupWriter) {
        writer.markup("hsl(")
        writer.integer(hue)
        writer.markup(" ")
        writer.integer(saturation)
        writer.markup("% ")
        writer.integer(lightness)
        writer.markup("%)")
    }
}

/// The colours of one picture: a style's range of hues and strength, the seed's place in it.
struct DemoPalette {
    let ground: DemoColor
    let backdrop: DemoColor
    private let main: DemoColor
    private let accent: DemoColor

    init(style: DemoStyle, look: UInt64) {
        let turn = Int(look % 360)
        let (hue, saturation, lightness): (Int, Int, Int) =
            switch style {
            case .calm: (190 + turn % 60, 18, 62)
            case .rustic: (16 + turn % 40, 42, 46)
            case .retro: ([8, 32, 48, 172, 196][turn % 5], 55, 56)
            case .bold: (turn, 78, 54)
            case .technical: (205 + turn % 40, 26, 40)
            }
        let second = (hue + [28, 150, 180, 210, 330][Int(look >> 16 % 5)]) % 360
        main = DemoColor(hue: hue % 360, saturation: saturation, lightness: lightness)
        accent = DemoColor(hue: second, saturation: min(80, saturation + 14), lightness: 58)
        ground = DemoColor(hue: second, saturation: max(12, saturation / 2), lightness: 94)
        backdrop = DemoColor(hue: second, saturation: max(14, saturation / 2), lightness: 87)
    }

    subscript(_ tone: DemoPicture.Layer.Tone) -> DemoColor {
        switch tone {
        case .main: main
        case .light: DemoColor(hue: main.hue, saturation: main.saturation, lightness: min(88, main.lightness + 20))
        case .dark: DemoColor(hue: main.hue, saturation: main.saturation, lightness: max(14, main.lightness - 24))
        case .accent: accent
        }
    }
}
