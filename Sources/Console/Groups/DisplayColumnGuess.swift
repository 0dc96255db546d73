import Tastemaker

/// Finds the columns of an Items schema that people want to see, by their names.
enum DisplayColumnGuess {
    struct Field: Sendable {
        let name: String
        let label: String
        let path: any WritableKeyPath<DisplayColumns, String?> & Sendable
        /// Pieces of names, the likeliest first.
        let words: [String]
    }

    static let fields = [
        Field(name: "title", label: "Title", path: \.title, words: ["TITLE", "PRODUCT_NAME", "ITEM_NAME", "NAME", "HEADLINE", "LABEL"]),
        Field(name: "link", label: "Link", path: \.link, words: ["LINK", "URL", "PERMALINK", "HREF"]),
        Field(
            name: "image", label: "Picture", path: \.image,
            words: ["IMAGE_LINK", "IMAGE_URL", "IMAGE", "PICTURE", "THUMBNAIL", "COVER", "POSTER"]),
        Field(name: "price", label: "Price", path: \.price, words: ["PRICE", "AMOUNT", "COST"]),
        Field(
            name: "category", label: "Category", path: \.category,
            words: ["CATEGORY_L1", "CATEGORY", "PRODUCT_TYPE", "GENRES", "GENRE", "SECTION", "DEPARTMENT"]),
        Field(name: "brand", label: "Brand", path: \.brand, words: ["BRAND", "MANUFACTURER", "VENDOR", "PUBLISHER", "STUDIO", "AUTHOR"]),
    ]

    static func guess(_ columns: [String]) -> DisplayColumns {
        var guess = DisplayColumns()
        var taken: Set<String> = []
        for field in fields {
            let free = columns.filter { !taken.contains($0) }
            let exact = field.words.lazy.compactMap { word in free.first { $0.uppercased() == word } }.first
            let partial = field.words.lazy.compactMap { word in
                free.first { $0.uppercased().hasSuffix("_" + word) || $0.uppercased().hasPrefix(word + "_") }
            }.first
            guard let column = exact ?? partial else { continue }
            taken.insert(column)
            guess[keyPath: field.path] = column
        }
        return guess
    }
}
