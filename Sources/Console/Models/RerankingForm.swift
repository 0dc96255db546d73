import Tastemaker
import Web

/// A campaign's re-ranking as a form has it: variety instead of lambda, one line for each cap.
enum RerankingForm {
    /// What was asked for; nil where the form is not in an address or body.
    static func read(_ form: Form) throws(OperationError) -> CampaignOptions? {
        guard form["reranks"] != nil else { return nil }
        var options = CampaignOptions()
        options.lambda = 1 - (try number(form, "variety", "The variety", 0...1) ?? 0)
        options.likenessColumn = form.text("alike")
        for index in 1...CampaignOptions.capLimit {
            guard let column = form.text("cap\(index)"), let most = try number(form, "most\(index)", "The limit of \(column)", 1...500)
            else { continue }
            options.caps.append(.init(column: column, most: Int(most)))
        }
        options.valueColumn = form.text("value")
        options.valueWeight = options.valueColumn == nil ? 0 : try number(form, "weight", "The weight of the value", -1...1) ?? 0
        return options
    }

    /// - Parameter title: of the field, as a sentence begins with it.
    private static func number(
        _ form: Form, _ name: String, _ title: String, _ range: ClosedRange<Double>
    ) throws(OperationError) -> Double? {
        guard let given = form.text(name) else { return nil }
        guard let number = Double(given), range.contains(number) else {
            throw .invalidInput(
                "\(title) is a number from \(text(range.lowerBound)) to \(text(range.upperBound)), not “\(given)”.", field: name)
        }
        return number
    }

    /// The fields of the form with what is in force or being tried.
    static func model(_ options: CampaignOptions, stored: CampaignOptions, _ columns: (texts: [String], numbers: [String])) -> ViewModel {
        let none = [(value: "", label: "none")]
        let texts = columns.texts.map { (value: $0, label: $0) }
        let lines = min(CampaignOptions.capLimit, max(2, options.caps.count + 1))
        let caps = (0..<lines).map { index -> ViewModel in
            let cap = index < options.caps.count ? options.caps[index] : nil
            return [
                "number": .number(index + 1), "columns": FormState().options("cap", none + texts, default: cap?.column ?? ""),
                "most": .text(cap.map { String($0.most) } ?? ""),
            ]
        }
        let sentence = stored.sentence
        return [
            "reranking": .text(sentence.isEmpty ? "off" : sentence), "isReranked": .bool(!options.isNone),
            "variety": .text(text(1 - options.lambda)),
            "alikes": FormState().options(
                "alike", [(value: "", label: "the model's item vectors")] + texts, default: options.likenessColumn ?? ""),
            "caps": .list(caps), "hasTexts": .bool(!texts.isEmpty), "hasNumbers": .bool(!columns.numbers.isEmpty),
            "values": FormState().options(
                "value", none + columns.numbers.map { (value: $0, label: $0) }, default: options.valueColumn ?? ""),
            "weight": .text(options.valueWeight == 0 ? "" : text(options.valueWeight)),
            "isNew": .bool(options != stored),
            "hidden": .list(fields(options).map { ["name": .text($0.0), "value": .text($0.1)] as ViewModel }),
        ]
    }

    /// What a form has to send for the options.
    static func fields(_ options: CampaignOptions) -> [(String, String)] {
        [("reranks", "1"), ("variety", text(1 - options.lambda)), ("alike", options.likenessColumn ?? "")]
            + options.caps.enumerated().flatMap {
                [("cap\($0.offset + 1)", $0.element.column), ("most\($0.offset + 1)", String($0.element.most))]
            }
            + [("value", options.valueColumn ?? ""), ("weight", text(options.valueWeight))]
    }

    /// Two decimals, as few as needed, with a point: what a number field takes.
    private static func text(_ number: Double) -> String {
        let rounded = (number * 100).rounded() / 100
        return Int(exactly: rounded).map { String($0) } ?? rounded.description
    }
}
