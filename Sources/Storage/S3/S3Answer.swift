/// The few elements that are read of S3's XML answers, found by their tags: the answers are flat, have no attributes on these elements
/// and come from a server that was chosen by the operator. Bounded by the size of the answer.
struct S3Answer {
    private let text: [UInt8]

    init(_ text: [UInt8]) {
        self.text = text
    }

    /// The contents of all elements of that name, in order; not for elements within their own kind.
    func all(_ name: String) -> [S3Answer] {
        let open = Array("<\(name)>".utf8)
        let close = Array("</\(name)>".utf8)
        var found: [S3Answer] = []
        var position = 0
        while let start = Self.find(open, in: text, from: position), let end = Self.find(close, in: text, from: start + open.count) {
            found.append(S3Answer(Array(text[start + open.count..<end])))
            position = end + close.count
        }
        return found
    }

    /// The text of the first element of that name.
    func value(_ name: String) -> String? { all(name).first?.plain }

    private var plain: String {
        var text = String(decoding: text, as: UTF8.self)
        for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&amp;", "&")] {
            text = text.replacing(entity, with: character)
        }
        return text
    }

    private static func find(_ word: [UInt8], in text: [UInt8], from start: Int) -> Int? {
        guard let first = word.first, text.count >= word.count else { return nil }
        var index = start
        while index <= text.count - word.count {
            if text[index] == first, text[index..<index + word.count].elementsEqual(word) { return index }
            index += 1
        }
        return nil
    }
}
