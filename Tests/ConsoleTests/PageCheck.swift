import Foundation
import Testing
import Web

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// Every page that a test sees has to be well-formed: each element closed in its order, each attribute quoted, each reference known.
enum PageCheck {
    static func check(_ page: String, _ request: Request) {
        let fault = fault(in: page)
        #expect(fault == nil, "\(String(decoding: request.target, as: UTF8.self)): \(fault ?? "")")
    }

    /// HTML as XML: void elements are closed, and attributes without a value get one.
    static func fault(in page: String) -> String? {
        guard page.hasPrefix("<!doctype html>") || page.contains("<!doctype html>") else { return "no doctype" }
        var text = page.replacing(/<!doctype html>/, with: "").trimmingCharacters(in: .whitespacesAndNewlines)
        text = text.replacing(/<(meta|link|input|img|br|hr|col|source)\b([^>]*?)\/?>/) { "<\($0.1)\($0.2)/>" }
        let bare =
            "async|defer|required|checked|selected|hidden|multiple|disabled|open|novalidate|data-search|data-submit|autofocus|readonly"
        if let regex = try? NSRegularExpression(pattern: "(<[^>]*?)\\s(\(bare))(?=[\\s/>])") {
            var previous = ""
            while previous != text {
                previous = text
                text = regex.stringByReplacingMatches(
                    in: text, range: NSRange(text.startIndex..., in: text), withTemplate: "$1 $2-is=\"\"")
            }
        }
        let parser = XMLParser(data: Data(text.utf8))
        let listener = FaultListener()
        parser.delegate = listener
        guard parser.parse() else {
            let line = parser.lineNumber
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let shown = line > 0 && line <= lines.count ? String(lines[line - 1].prefix(200)) : ""
            return "line \(line): \(listener.fault ?? "not well-formed") \(shown)"
        }
        return listener.fault
    }

    private final class FaultListener: NSObject, XMLParserDelegate {
        var fault: String?
        var ids: Set<String> = []

        func parser(_ parser: XMLParser, parseErrorOccurred parseError: any Error) { fault = fault ?? "\(parseError)" }

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String] = [:]
        ) {
            for (name, value) in attributes where name.hasPrefix("on") || name == "style" || value.lowercased().hasPrefix("javascript:") {
                fault = fault ?? "the attribute \(name)=\(value)"
            }
            guard let id = attributes["id"] else { return }
            if !ids.insert(id).inserted { fault = fault ?? "the id '\(id)' is given twice" }
        }
    }
}
