import Tastemaker
import Web

/// Asks before something is deleted for good. The button that leads here is a link, and the question's button posts to the same address.
struct ConfirmPage {
    /// As in `the campaign summer`.
    let thing: String
    /// What is no longer there, or no longer happens.
    let consequence: String
    let deleteURL: URLValue
    let backURL: URLValue

    func show(_ visit: Visit) throws -> Response {
        try visit.render(
            "confirm",
            [
                "thing": .text(thing), "consequence": .text(consequence), "actionURL": .url(deleteURL), "backURL": .url(backURL),
            ])
    }
}
