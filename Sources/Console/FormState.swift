public import Tastemaker
public import Web

/// What a form shows: the input as it was sent, or the defaults, and what was wrong with it beside the field.
public struct FormState {
    private let form: Form?
    private let error: OperationError?

    /// A fresh form, with its defaults.
    public init() {
        form = nil
        error = nil
    }

    /// A form that was refused.
    public init(_ form: Form, _ error: OperationError) {
        self.form = form
        self.error = error
    }

    /// An object with `value` and `error` for one field.
    public func field(_ name: String, default value: String = "") -> ViewValue {
        .object(["value": .text(form.map { $0[name] ?? "" } ?? value), "error": .text(message(name))])
    }

    /// What was wrong with a field, or false.
    public func error(_ name: String) -> ViewValue { .text(message(name)) }

    /// The choices of a select: `value`, `label`, `isSelected`.
    public func options(_ name: String, _ choices: [(value: String, label: String)], default selected: String = "") -> ViewValue {
        let chosen = form.map { $0[name] ?? "" } ?? selected
        return .list(
            choices.map { choice in
                [
                    "value": .text(choice.value), "label": .text(choice.label),
                    "isSelected": .bool(choice.value.utf8.elementsEqual(chosen.utf8)),
                ]
            })
    }

    public func isChecked(_ name: String, default value: Bool = false) -> ViewValue { .bool(form.map { $0[name] != nil } ?? value) }

    /// What was wrong but belongs to none of the named fields.
    public func otherError(besides names: [String]) -> ViewValue {
        guard let error else { return false }
        if case .invalidInput(_, let field?) = error, names.contains(field) { return false }
        return .text(error.sentence)
    }

    /// The operation's field names may differ from the form's: `fields` maps them.
    private func message(_ name: String) -> String? {
        guard let error, case .invalidInput(_, name) = error else { return nil }
        return error.sentence
    }
}

extension Visit {
    /// Does what a form asks. What the person can mend comes back as the form with status 422; everything else is thrown.
    public func submit(_ action: (Form) throws -> Response, orShow again: (FormState) throws -> Response) throws -> Response {
        let form = try form()
        do {
            return try action(form)
        } catch let error as OperationError {
            switch error {
            case .invalidInput, .alreadyExists, .inUse, .limitExceeded, .tooManyTags, .tooManyTagKeys:
                var response = try again(FormState(form, error))
                response.status = .unprocessableContent
                return response
            case .notFound, .invalidNextToken, .accessDenied, .unavailable, .insufficientStorage: throw error
            }
        }
    }
}
