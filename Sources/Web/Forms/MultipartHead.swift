/// The few header lines of a multipart part.
enum MultipartHead {
    /// Lines separated by LF. 400 unless they name a form field.
    static func part(_ head: [UInt8]) throws(HTTPError) -> MultipartReader.Part {
        var part = MultipartReader.Part(name: "", fileName: nil, mediaType: "")
        var isNamed = false
        for line in head.split(separator: 0x0A) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw .malformed("A part has a line that is no header.") }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = Array(line[(colon + 1)...].drop { $0 == 0x20 || $0 == 9 })
            if name == "content-disposition" {
                guard value.starts(with: "form-data".utf8), let field = text(parameter("name", in: value)) else {
                    throw .malformed("A part is no form field with a name in UTF-8.")
                }
                part.name = field
                part.fileName = text(parameter("filename", in: value)).map(baseName)
                isNamed = true
            } else if name == "content-type" {
                part.mediaType = String(decoding: value.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 }, as: UTF8.self).lowercased()
            }
        }
        guard isNamed else { throw .malformed("A part has no Content-Disposition.") }
        return part
    }

    private static func text(_ bytes: [UInt8]?) -> String? {
        guard let bytes, !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func baseName(_ name: String) -> String {
        let parts = Array(name.utf8).split { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
        return String(decoding: parts.last ?? [], as: UTF8.self)
    }

    /// The value of `; name=value` or `; name="value"` in a header. Browsers escape a quote as `%22` or `\"`.
    static func parameter(_ name: String, in header: [UInt8]) -> [UInt8]? {
        var index = header.firstIndex(of: UInt8(ascii: ";")) ?? header.count
        while index < header.count {
            index += 1
            while index < header.count, header[index] == 0x20 || header[index] == 9 { index += 1 }
            let key = header[index...].prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") }
            index = key.endIndex
            guard index < header.count, header[index] == UInt8(ascii: "=") else { continue }
            let value = value(in: header, at: &index)
            if String(decoding: key, as: UTF8.self).lowercased() == name { return value }
        }
        return nil
    }

    /// Leaves the index at the next semicolon or the end.
    private static func value(in header: [UInt8], at index: inout Int) -> [UInt8] {
        index += 1
        var value: [UInt8] = []
        guard index < header.count, header[index] == UInt8(ascii: "\"") else {
            let token = header[min(index, header.count)...].prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 }
            index = header[token.endIndex...].firstIndex(of: UInt8(ascii: ";")) ?? header.count
            return Array(token)
        }
        index += 1
        while index < header.count, header[index] != UInt8(ascii: "\"") {
            if header[index] == UInt8(ascii: "\\"), index + 1 < header.count,
                header[index + 1] == UInt8(ascii: "\"") || header[index + 1] == UInt8(ascii: "\\")
            {
                index += 1
            }
            value.append(header[index])
            index += 1
        }
        index = header[min(index, header.count)...].firstIndex(of: UInt8(ascii: ";")) ?? header.count
        return value
    }
}
