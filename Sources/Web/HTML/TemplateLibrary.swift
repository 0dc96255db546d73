import Foundation
import Mustache

/// The pages of the console: Mustache files read once at start.
///
/// Escaping is done by the view values, byte by byte; Mustache's own, which works by Characters, is off in every file.
/// What a template does wrong is found at start (`TemplateError.fault`), what a view model lacks at rendering.
public struct TemplateLibrary: Sendable {
    public enum TemplateError: Error, Sendable, Equatable {
        case unreadable(String)
        /// A template that cannot be parsed or that prints a value where no escaping helps.
        case fault(template: String, String)
        case unknownTemplate(String)
        /// What the template asked for and the view model lacks.
        case incomplete(template: String, [String])
    }

    private let library: MustacheLibrary
    private let urlNames: Set<String>
    public let names: [String]

    /// All `*.html` files below a folder; `items/list.html` is the template `items/list`.
    public init(folder: String) throws(TemplateError) {
        var sources: [(name: String, text: String)] = []
        guard let files = FileManager.default.enumerator(atPath: folder) else { throw .unreadable(folder) }
        for case let path as String in files where path.hasSuffix(".html") {
            guard let data = FileManager.default.contents(atPath: folder + "/" + path), let text = String(validating: data, as: UTF8.self)
            else { throw .unreadable(path) }
            sources.append((name: String(path.dropLast(5)), text: text))
        }
        try self.init(sources: sources)
    }

    public init(sources: [(name: String, text: String)]) throws(TemplateError) {
        var library = MustacheLibrary()
        var urlNames: Set<String> = []
        for source in sources {
            let scan = TemplateScan(source.text)
            if let fault = scan.faults.first { throw .fault(template: source.name, fault) }
            for partial in scan.partials where !sources.contains(where: { $0.name == partial }) {
                throw .fault(template: source.name, "the partial '\(partial)' does not exist")
            }
            urlNames.formUnion(scan.urlNames)
            do {
                try library.register("{{% CONTENT_TYPE:TEXT}}" + source.text, named: source.name)
            } catch {
                throw .fault(template: source.name, "\(error)")
            }
        }
        self.library = library
        self.urlNames = urlNames
        names = sources.map(\.name).sorted()
    }

    /// A page as bytes. Throws when the model lacks a name that was asked for: an empty place in a page is never an answer.
    public func render(_ name: String, _ model: ViewModel) throws(TemplateError) -> [UInt8] {
        let faults = TemplateFaults(urlNames: urlNames)
        guard let page = library.render(TemplateNode(root: model, faults: faults), withTemplate: name) else {
            throw .unknownTemplate(name)
        }
        let found = faults.all
        guard found.isEmpty else { throw .incomplete(template: name, found) }
        return Array(page.utf8)
    }
}
