extension FirstStart {
    /// What this product does at a start.
    static let product = FirstStart.empty
}
