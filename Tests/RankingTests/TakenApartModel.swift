@testable import Ranking

/// A model file as its sections, to be put together again with other contents and a right checksum.
struct TakenApartModel {
    var sections: [SectionContent]

    init(_ bytes: [UInt8]) throws {
        sections = try ModelFile(ModelBytes(bytes)).sections.map { section in
            var content = SectionContent(section.name, Array(bytes[section.offset..<section.offset + section.byteCount]))
            (content.type, content.rows, content.columns) = (section.type, section.rows, section.columns)
            return content
        }
    }

    func index(of name: String) -> Int? { sections.firstIndex { $0.name == name } }

    /// Without U+0000, `name=value` each.
    var properties: [String] {
        get {
            index(of: "properties").map { sections[$0].bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) } } ?? []
        }
        set { if let index = index(of: "properties") { sections[index] = SectionContent("properties", texts: newValue) } }
    }

    func encoded() -> [UInt8] { ModelFormat.encode(sections) }
}
