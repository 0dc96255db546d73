/// The event names of common e-commerce vocabularies, and ours.
enum EventName {
    enum Meaning: Equatable {
        /// An interaction of this type, under our name where we have one.
        case interaction(String)
        /// A completed order: one interaction for each product, known by order and line.
        case order(String)
        /// Money given back: negative amounts.
        case refund(String)
        /// Cards seen.
        case impression
    }

    /// Names compare without regard to case, blanks, `_` and `-`. A name that no vocabulary knows stays as it came.
    static func meaning(of name: String) -> Meaning {
        let folded = String(
            decoding: name.utf8.lazy.filter { !" _-".utf8.contains($0) }.map { byte in
                (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            }, as: UTF8.self)
        return known[folded] ?? .interaction(name)
    }

    private static let known: [String: Meaning] = [
        "view": .interaction("View"), "productviewed": .interaction("View"), "detailpageview": .interaction("View"),
        "viewdetail": .interaction("View"), "viewitem": .interaction("View"),
        "click": .interaction("Click"), "productclicked": .interaction("Click"), "selectitem": .interaction("Click"),
        "addtocart": .interaction("AddToCart"), "productadded": .interaction("AddToCart"), "productaddedtocart": .interaction("AddToCart"),
        "removefromcart": .interaction("RemoveFromCart"), "productremoved": .interaction("RemoveFromCart"),
        "search": .interaction("Search"), "productssearched": .interaction("Search"), "searchsubmitted": .interaction("Search"),
        "purchase": .order("Purchase"), "ordercompleted": .order("Purchase"), "purchasecomplete": .order("Purchase"),
        "orders/paid": .order("Purchase"), "checkoutcompleted": .order("Purchase"),
        "refund": .refund("Refund"), "orderrefunded": .refund("Refund"),
        "impression": .impression, "productlistviewed": .impression, "categorypageview": .impression, "collectionviewed": .impression,
    ]
}
