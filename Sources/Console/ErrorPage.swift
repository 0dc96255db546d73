import Tastemaker
import Web

/// What people see instead of a page that could not be made.
enum ErrorPage {
    static func response(to error: any Error, _ request: Request, _ shared: ConsoleShared) -> Response {
        let (status, title, message) = describe(error)
        let model: ViewModel = [
            "title": .text(title), "message": .text(message), "requestID": .text(request.requestID),
            "productVersion": .text(shared.version),
        ]
        var response: Response
        do {
            response = .html(try shared.templates.render("error", model), status: status)
        } catch {
            response = .text("\(title). \(message)", status: status)
        }
        if status == .serviceUnavailable { response.setHeader("Retry-After", "5") }
        SecurityHeaders(isSecure: shared.isSecure).apply(to: &response)
        return response
    }

    private static func describe(_ error: any Error) -> (Status, title: String, message: String) {
        switch error {
        case let error as OperationError: describe(error)
        case let error as HTTPError: (error.status, title(error.status), error.message)
        case is TemplateLibrary.TemplateError: (.internalServerError, "This page is broken", "\(error)")
        default: (.internalServerError, "Something went wrong", "The page could not be made. The log of the server says why.")
        }
    }

    private static func describe(_ error: OperationError) -> (Status, title: String, message: String) {
        switch error {
        case .notFound: (.notFound, "Not found", error.sentence)
        case .accessDenied: (.forbidden, "Not allowed", error.sentence)
        case .unavailable: (.serviceUnavailable, "Not available just now", error.sentence)
        case .insufficientStorage: (.insufficientStorage, "No room", error.sentence)
        case .alreadyExists, .inUse: (.conflict, "Not possible as things are", error.sentence)
        case .invalidInput, .limitExceeded, .invalidNextToken, .tooManyTags, .tooManyTagKeys:
            (.badRequest, "Not understood", error.sentence)
        }
    }

    private static func title(_ status: Status) -> String {
        switch status {
        case .notFound: "Not found"
        case .forbidden: "Not allowed"
        case .contentTooLarge: "Too large"
        default: status.code < 500 ? "Not understood" : "Something went wrong"
        }
    }
}
