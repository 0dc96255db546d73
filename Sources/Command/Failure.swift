/// A refusal in one sentence for the person at the terminal: what is wrong and what to do.
struct Failure: Error, CustomStringConvertible, Equatable {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
