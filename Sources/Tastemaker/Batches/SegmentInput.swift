import FilterLanguage
import JSON
import Ranking

/// The lines of one input file, each a query for a segment.
struct SegmentInput {
    /// Of the file, without its folder.
    let name: String
    var lines: [Line] = []

    struct Line {
        /// As it was given; a text where it is no JSON.
        var given: JSONValue
        var question: Result<Question, Refusal>
        /// Who may be in the segment, by interned id; nil for everybody.
        var admitted: RowBitmap?
    }

    enum Question {
        case item(String)
        case attributes(AttributeQuery, text: String)
    }

    /// Why a line has no answer, as a sentence for people.
    struct Refusal: Error {
        var sentence: String
    }

    /// Blank lines are passed over.
    init(name: String, _ bytes: [UInt8], byAttributes: Bool) {
        self.name = name
        for line in bytes.split(separator: UInt8(ascii: "\n")) where line.contains(where: { $0 > 0x20 }) {
            do throws(JSONError) {
                let value = try JSONValue(parsing: line)
                lines.append(Line(given: value, question: Self.question(value, byAttributes: byAttributes)))
            } catch {
                let refusal = Refusal(sentence: "The line is not JSON: \(error.description).")
                lines.append(Line(given: .string(String(decoding: line, as: UTF8.self)), question: .failure(refusal)))
            }
        }
    }

    private static func question(_ value: JSONValue, byAttributes: Bool) -> Result<Question, Refusal> {
        let member = byAttributes ? "itemAttributes" : "itemId"
        guard let text = value[member]?.stringValue, !text.isEmpty else {
            return .failure(Refusal(sentence: "The line lacks the member \(member), a text."))
        }
        guard byAttributes else { return .success(.item(text)) }
        do throws(AttributeQueryError) { return .success(.attributes(try AttributeQuery(parsing: text), text: text)) } catch {
            return .failure(Refusal(sentence: "itemAttributes cannot be read: \(error.reason)."))
        }
    }
}

extension SegmentInput.Line {
    /// The line of the answer, as the contract's samples have it.
    func answer(_ result: Result<[ArraySlice<UInt8>], SegmentInput.Refusal>) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        if case .success(.attributes(_, let text)) = question {
            writer.key("itemAttributes")
            writer.string(text)
        }
        writer.key("input")
        writer.value(given)
        writer.key("output")
        switch result {
        case .success(let users):
            writer.beginObject()
            writer.key("recommendedUsers")
            writer.beginArray()
            for user in users { writer.string(utf8: user) }
            writer.endArray()
            writer.endObject()
        case .failure(let refusal):
            writer.null()
            writer.key("error")
            writer.string(refusal.sentence)
        }
        writer.endObject()
        writer.newline()
        return writer.bytes
    }
}
