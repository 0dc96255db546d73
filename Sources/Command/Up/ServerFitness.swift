/// Whether the database server can hold the product.
enum ServerFitness {
    static func check(_ settings: Settings) throws {}
}
