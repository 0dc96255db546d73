import CXML

/// Walks RSS and Atom with libxml2's reader, one node at a time, and gathers the attributes of each item.
///
/// Flags are XML_PARSE_NONET alone: with NOENT, DTDLOAD or HUGE the parser would read files or expand entities without bound.
struct XMLFeedParser: ~Copyable {
    private static let productNamespace = "http://base.google.com/ns/1.0"
    private static let ownNamespaces = ["", "http://www.w3.org/2005/Atom", "http://purl.org/rss/1.0/"]

    private let reader: xmlTextReaderPtr
    private let source: FeedSource
    private let limits: FeedLimits
    private var count = 0
    private var item: Item?
    private var hasRoot = false

    private struct Item {
        let line: Int
        let depth: Int32
        let isAtom: Bool
        var attributes: [String: [UInt8]] = [:]
        /// Attributes that came from the product namespace win over RSS's own.
        var isProduct: Set<String> = []
        var field: Field?
        var problem: String?
    }

    private struct Field {
        let name: String
        let isProduct: Bool
        var text: [UInt8] = []
    }

    init(source: FeedSource, limits: FeedLimits) throws(FeedError) {
        let address = Unmanaged.passUnretained(source).toOpaque()
        guard
            let reader = xmlReaderForIO(
                { context, buffer, length in
                    guard let context, let buffer, length > 0 else { return -1 }
                    let source = Unmanaged<FeedSource>.fromOpaque(context).takeUnretainedValue()
                    return source.copy(into: UnsafeMutableRawBufferPointer(start: buffer, count: Int(length)))
                }, nil, address, nil, nil, Int32(XML_PARSE_NONET.rawValue))
        else { throw FeedError(reason: "the XML parser could not be started") }
        xmlTextReaderSetStructuredErrorHandler(
            reader,
            { context, error in
                guard let context, let error else { return }
                let source = Unmanaged<FeedSource>.fromOpaque(context).takeUnretainedValue()
                guard source.complaint == nil, error.pointee.level.rawValue >= XML_ERR_ERROR.rawValue else { return }
                let message = error.pointee.message.map { trimmed(String(cString: $0)) } ?? "error \(error.pointee.code)"
                source.complaint = FeedError(line: Int(error.pointee.line), reason: "the document is broken: \(message.prefix(200))")
            }, address)
        self.reader = reader
        self.source = source
        self.limits = limits
    }

    deinit { xmlFreeTextReader(reader) }

    /// Of the current node. Nodes count to 65,534 only; beyond, the parser's own line, some hundred bytes ahead, has to do.
    private var line: Int {
        let exact = xmlTextReaderCurrentNode(reader).map { xmlGetLineNo($0) } ?? 0
        return (1..<65_535).contains(exact) ? Int(exact) : Int(xmlTextReaderGetParserLineNumber(reader))
    }

    mutating func run(item: (FeedItem) throws -> Void, rejected: (RowError) throws -> Void) throws {
        while true {
            let status = xmlTextReaderRead(reader)
            if let failure = source.failure { throw failure }
            if status == 0 { break }
            guard status == 1 else { throw source.complaint ?? FeedError(line: line, reason: "the document is broken") }
            try visit(item, rejected)
        }
        // The reader may end calmly although the parser met an error, such as a second root element.
        if let complaint = source.complaint { throw complaint }
    }

    private mutating func visit(_ deliver: (FeedItem) throws -> Void, _ rejected: (RowError) throws -> Void) throws {
        switch xmlTextReaderNodeType(reader) {
        case Int32(XML_READER_TYPE_DOCUMENT_TYPE.rawValue):
            throw FeedError(line: line, reason: "a document type declaration is not allowed in a feed")
        case Int32(XML_READER_TYPE_ENTITY_REFERENCE.rawValue): throw FeedError(line: line, reason: "an entity is not allowed in a feed")
        case Int32(XML_READER_TYPE_ELEMENT.rawValue):
            let isEmpty = xmlTextReaderIsEmptyElement(reader) == 1
            let depth = xmlTextReaderDepth(reader)
            try begin(at: depth)
            if isEmpty { try end(at: depth, deliver, rejected) }
        case Int32(XML_READER_TYPE_END_ELEMENT.rawValue): try end(at: xmlTextReaderDepth(reader), deliver, rejected)
        case Int32(XML_READER_TYPE_TEXT.rawValue), Int32(XML_READER_TYPE_CDATA.rawValue),
            Int32(XML_READER_TYPE_SIGNIFICANT_WHITESPACE.rawValue):
            addText()
        default: break
        }
    }

    private func string(_ pointer: UnsafePointer<xmlChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }

    private mutating func begin(at depth: Int32) throws(FeedError) {
        guard depth < limits.depth else { throw FeedError(line: line, reason: "elements nested deeper than \(limits.depth) levels") }
        let name = string(xmlTextReaderConstLocalName(reader))
        if !hasRoot {
            hasRoot = true
            guard ["rss", "feed", "RDF"].contains(name) else {
                throw FeedError(line: line, reason: "the root element is \(name.prefix(40)), rss or feed was expected")
            }
        }
        guard let current = item else {
            guard name == "item" || name == "entry", depth > 0 else { return }
            count += 1
            guard count <= limits.items else { throw FeedError(line: line, reason: "more than \(limits.items) items") }
            item = Item(line: line, depth: depth, isAtom: name == "entry")
            return
        }
        guard depth == current.depth + 1 else {
            // Markup within a text, as Atom's xhtml content has it, keeps words apart.
            item?.field?.text.append(0x20)
            return
        }
        let namespace = string(xmlTextReaderConstNamespaceUri(reader))
        let attribute = name.lowercased()
        let isProduct = namespace == Self.productNamespace
        let isOwn = Self.ownNamespaces.contains(namespace)
        guard isProduct || isOwn else { return }
        let key = current.isAtom && isOwn && attribute == "id" ? "guid" : attribute
        guard FeedItem.attributes.contains(key) else { return }
        let text = key == "link" && isOwn ? href() : []
        item?.field = Field(name: key, isProduct: isProduct, text: text)
    }

    /// The address of Atom's `<link rel="alternate" href="…"/>`.
    private func href() -> [UInt8] {
        let relation = value(of: "rel")
        guard relation == nil || relation == "alternate" else { return [] }
        return Array((value(of: "href") ?? "").utf8)
    }

    private func value(of attribute: String) -> String? {
        guard xmlTextReaderMoveToAttribute(reader, attribute) == 1 else { return nil }
        defer { xmlTextReaderMoveToElement(reader) }
        return string(xmlTextReaderConstValue(reader))
    }

    private mutating func addText() {
        guard let field = item?.field, let text = xmlTextReaderConstValue(reader) else { return }
        let bytes = UnsafeBufferPointer(start: text, count: Int(xmlStrlen(text)))
        guard field.text.count + bytes.count <= limits.fieldBytes else {
            item?.problem = "\(field.name) has more than \(limits.fieldBytes) bytes"
            return
        }
        item?.field?.text.append(contentsOf: bytes)
    }

    private mutating func end(
        at depth: Int32, _ deliver: (FeedItem) throws -> Void, _ rejected: (RowError) throws -> Void
    ) throws {
        guard let current = item else { return }
        if depth == current.depth + 1 { endField() }
        guard depth == current.depth else { return }
        item = nil
        if let problem = current.problem { return try rejected(RowError(line: current.line, reason: problem)) }
        let result: FeedItem
        do throws(RowError) { result = try FeedItem(attributes: current.attributes, line: current.line) } catch {
            return try rejected(error)
        }
        try deliver(result)
    }

    /// The first value of an attribute counts, save that the product namespace wins over RSS's own.
    private mutating func endField() {
        guard let field = item?.field else { return }
        item?.field = nil
        guard !field.text.isEmpty, let current = item else { return }
        let isBetter = current.attributes[field.name] == nil || (field.isProduct && !current.isProduct.contains(field.name))
        guard isBetter else { return }
        item?.attributes[field.name] = field.text
        if field.isProduct { item?.isProduct.insert(field.name) }
    }
}
