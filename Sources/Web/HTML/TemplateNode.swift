import Mustache
import Synchronization

/// Notes what a rendering asked for in vain.
final class TemplateFaults: Sendable {
    private let found = Mutex<[String]>([])
    /// Names that templates put at the start of an attribute which leads somewhere.
    let urlNames: Set<String>

    init(urlNames: Set<String>) {
        self.urlNames = urlNames
    }

    func add(_ fault: String) {
        found.withLock { if $0.count < 20, !$0.contains(fault) { $0.append(fault) } }
    }

    var all: [String] { found.withLock { $0 } }
}

/// A view value as Mustache sees it. Every value printed is this type, already escaped, and the templates are rendered
/// with Mustache's own escaping off: there is no text left that Mustache could print.
struct TemplateNode: MustacheParent, MustacheCustomRenderable {
    private let value: ViewValue
    private let faults: TemplateFaults
    /// The page's model is asked last, so what it lacks is nowhere.
    private let isRoot: Bool
    private let name: String

    init(root model: ViewModel, faults: TemplateFaults) {
        self.init(.object(model), name: "", faults: faults, isRoot: true)
    }

    private init(_ value: ViewValue, name: String, faults: TemplateFaults, isRoot: Bool = false) {
        self.value = value
        self.name = name
        self.faults = faults
        self.isRoot = isRoot
    }

    func child(named name: String) -> Any? {
        guard case .object(let model) = value, let child = model[name] else {
            if isRoot { faults.add("the view model has no value '\(name)'") }
            return nil
        }
        switch child {
        case .bool(let flag): return flag
        case .list(let elements): return elements.map { TemplateNode($0, name: name, faults: faults) }
        case .html, .url, .object: return TemplateNode(child, name: name, faults: faults)
        }
    }

    var renderText: String {
        switch value {
        case .html(let html):
            if faults.urlNames.contains(name) { faults.add("'\(name)' stands where a URL belongs, but is none") }
            return html.text
        case .url(let url): return HTML(url).text
        case .bool(let flag): return flag ? "true" : "false"
        case .list, .object:
            faults.add("'\(name)' is printed, but is a list or an object")
            return ""
        }
    }

    /// Empty text counts as false in a section.
    var isNull: Bool {
        if case .html(let html) = value { return html.text.isEmpty }
        return false
    }
}
