/// A taste that runs through all categories: brands follow one, and visitors prefer one.
public enum DemoStyle: Int, Sendable, CaseIterable {
    case calm, rustic, retro, bold, technical

    /// Invented houses, four to a style.
    var brands: [String] {
        switch self {
        case .calm: ["Northmoor", "Palewood", "Stillwater Works", "Linden & Loom"]
        case .rustic: ["Barnfield", "Emberhearth", "Old Quarry", "Hedgerow"]
        case .retro: ["Arcadette", "Sunday Motel", "Velvet Avenue", "Chromeline"]
        case .bold: ["Pomelo Pop", "Zigzag & Sons", "Loudhouse", "Tangerine Yard"]
        case .technical: ["Gridform", "Halfmicron", "Vector Goods", "Plumbline"]
        }
    }

    var adjective: String {
        switch self {
        case .calm: "quiet, pale and made to be overlooked"
        case .rustic: "sturdy, honest and better with every scratch"
        case .retro: "as your grandparents' neighbours had it"
        case .bold: "not for people who whisper"
        case .technical: "measured twice, with no gram too much"
        }
    }
}
