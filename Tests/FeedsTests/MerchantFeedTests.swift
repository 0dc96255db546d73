import Feeds
import Foundation
import Testing

struct FeedResult {
    var items: [FeedItem] = []
    var rejected: [RowError] = []
    var failure: String?
}

func readFeed(_ bytes: [UInt8], chunk: Int = 4_096, limits: FeedLimits = FeedLimits()) -> FeedResult {
    var result = FeedResult()
    var position = 0
    do {
        try MerchantFeedReader(limits: limits).read {
            let end = min(position + chunk, bytes.count)
            defer { position = end }
            return Array(bytes[position..<end])
        } item: {
            result.items.append($0)
        } rejected: {
            result.rejected.append($0)
        }
    } catch { result.failure = "\(error)" }
    return result
}

func readFeed(_ text: String, chunk: Int = 4_096, limits: FeedLimits = FeedLimits()) -> FeedResult {
    readFeed(Array(text.utf8), chunk: chunk, limits: limits)
}

private func rss(_ items: String, prolog: String = "") -> String {
    prolog + #"<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title><link>https://shop.example</link>"#
        + items + "</channel></rss>"
}

private let mug = """
    <item><g:id>P-1</g:id><g:title>Mug &amp; spoon</g:title><title>ignored</title><g:link>https://shop.example/p1</g:link>
    <g:image_link>https://shop.example/p1.jpg</g:image_link><g:price>19.50 EUR</g:price><g:sale_price>15.00 EUR</g:sale_price>
    <g:availability>In Stock</g:availability><g:brand>Potter</g:brand><g:product_type>Home &gt; Kitchen</g:product_type>
    <description><![CDATA[<p>A <b>blue</b> mug.</p><p>Holds&nbsp;3 dl</p>]]></description>
    <g:shipping><g:price>4.00 EUR</g:price></g:shipping><g:custom_label_0>Summer</g:custom_label_0>
    <g:item_group_id>P</g:item_group_id></item>
    """

@Test func `an RSS item is mapped to columns`() throws {
    let result = readFeed(rss(mug))
    #expect(result.failure == nil)
    let item = try #require(result.items.first)
    #expect(item.id == Array("P-1".utf8))
    #expect(
        item.values == [
            "TITLE": .string("Mug & spoon"), "LINK": .string("https://shop.example/p1"),
            "IMAGE_LINK": .string("https://shop.example/p1.jpg"),
            "PRICE": .double(19.5), "SALE_PRICE": .double(15), "CURRENCY": .string("EUR"), "AVAILABILITY": .string("in_stock"),
            "BRAND": .string("Potter"), "CATEGORY": .string("Kitchen"), "CATEGORY_PATH": .string("Home|Kitchen"),
            "DESCRIPTION": .string("A blue mug. Holds 3 dl"), "CUSTOM_LABEL_0": .string("Summer"), "ITEM_GROUP": .string("P"),
        ])
    #expect(try AvroSchema(kind: .items, columns: [SchemaColumn(name: "ITEM_ID", type: .string)] + FeedItem.columns).columns.count > 20)
}

@Test func `an Atom entry is mapped to columns`() throws {
    let text = """
        <feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><title>Shop</title><entry><id>tag:1</id><title>Cup</title>
        <link rel="enclosure" href="https://shop.example/x"/><link href="https://shop.example/cup"/><summary>Small</summary><g:availability>out of stock</g:availability></entry></feed>
        """
    let item = try #require(readFeed(text).items.first)
    #expect(item.id == Array("tag:1".utf8))
    #expect(item.isOutOfStock)
    #expect(item.values["LINK"] == .string("https://shop.example/cup"))
    #expect(item.values["DESCRIPTION"] == .string("Small"))
}

@Test func `a table with blanks in its header and a byte order mark is read like XML`() throws {
    let text =
        "\u{FEFF}id\ttitle\tproduct type\timage link\tprice\n1\t5\" disc\tHome > Sound\thttps://shop.example/1.jpg\t1.234,50 EUR\n\tx\t\t\t\n"
    let result = readFeed(text)
    #expect(
        result.items.map(\.values) == [
            [
                "TITLE": .string("5\" disc"), "CATEGORY": .string("Sound"), "CATEGORY_PATH": .string("Home|Sound"),
                "IMAGE_LINK": .string("https://shop.example/1.jpg"), "PRICE": .double(1234.5), "CURRENCY": .string("EUR"),
            ]
        ])
    #expect(result.rejected == [RowError(line: 3, reason: "the item has no id")])
}

@Test func `bad items are set aside with their line and the rest goes in`() {
    let text = rss(
        "\n<item><title>no id</title></item>\n<item><g:id>2</g:id><g:price>cheap</g:price></item>\n<item><g:id>3</g:id></item>\n")
    let result = readFeed(text)
    #expect(result.items.map(\.id) == [Array("3".utf8)])
    #expect(
        result.rejected == [RowError(line: 2, reason: "the item has no id"), RowError(line: 3, reason: "price \"cheap\" is not a price")])
}

@Test(arguments: [
    ("19.50 EUR", 19.5, "EUR"), ("EUR 19.50", 19.5, "EUR"), ("19,50 eur", 19.5, "EUR"), ("1,234.50 USD", 1234.5, "USD"),
    ("1.234.567 EUR", 1_234_567, "EUR"), ("1,234 USD", 1234, "USD"), ("7", 7, ""), ("0.999 KWD", 0.999, "KWD"),
])
func `a price is read with either decimal separator`(text: String, amount: Double, currency: String) {
    let values = readFeed(rss("<item><g:id>1</g:id><g:price>\(text)</g:price></item>")).items.first?.values
    #expect(values?["PRICE"] == .double(amount))
    #expect(values?["CURRENCY"] == (currency.isEmpty ? nil : .string(currency)))
}

@Test func `a link that is no web address is dropped`() {
    let result = readFeed(rss("<item><g:id>1</g:id><g:link>javascript:alert(1)</g:link></item>"))
    #expect(result.items.first?.values["LINK"] == nil)
}

@Test func `Latin-1 and UTF-16 are read as declared`() {
    let head = Array(
        #"<?xml version="1.0" encoding="ISO-8859-1"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>caf"#.utf8)
    let bytes = head + [0xE9] + Array("</g:id></item></channel></rss>".utf8)
    #expect(readFeed(bytes).items.map(\.id) == [Array("café".utf8)])
    var wide: [UInt8] = [0xFF, 0xFE]
    for unit in rss("<item><g:id>é</g:id></item>").utf16 { wide += [UInt8(unit & 0xFF), UInt8(unit >> 8)] }
    #expect(readFeed(wide).items.map(\.id) == [Array("é".utf8)])
}

@Test(arguments: [1, 2, 3, 7, 64]) func `the size of the chunks changes nothing`(size: Int) {
    let text = rss(
        (1...20).map { "<item><g:id>é\($0)</g:id><g:title>T &lt; \($0)</g:title></item>" }.joined(),
        prolog: "\u{FEFF}<?xml version=\"1.0\"?>\n")
    #expect(readFeed(text, chunk: size).items == readFeed(text).items)
    #expect(readFeed(text, chunk: size).items.count == 20)
}

private let secret = "file:///etc/passwd"
private let hostile: [(String, String, String)] = [
    (
        "external entity", #"<!DOCTYPE rss [<!ENTITY x SYSTEM "\#(secret)">]>"# + rss("<item><g:id>&x;</g:id></item>"),
        "document type declaration"
    ),
    ("external subset", #"<!DOCTYPE rss SYSTEM "\#(secret)">"# + rss("<item><g:id>1</g:id></item>"), "document type declaration"),
    (
        "billion laughs",
        "<!DOCTYPE rss [<!ENTITY a \"ha\">"
            + (1...9).map {
                "<!ENTITY \(Character(UnicodeScalar(97 + $0) ?? "z")) \""
                    + String(repeating: "&\(Character(UnicodeScalar(96 + $0) ?? "z"));", count: 10) + "\">"
            }.joined() + "]>" + rss("<item><g:id>&j;</g:id></item>"), "document type declaration"
    ),
    (
        "quadratic blow-up",
        "<!DOCTYPE rss [<!ENTITY a \"" + String(repeating: "x", count: 50_000) + "\">]>"
            + rss("<item><g:id>" + String(repeating: "&a;", count: 20_000) + "</g:id></item>"), "document type declaration"
    ),
    ("unknown entity", rss("<item><g:id>&nope;</g:id></item>"), "the document is broken"),
    ("nested elements", rss("<item>" + String(repeating: "<a>", count: 100_000)), "nested deeper than 32 levels"),
    (
        "huge text", rss("<item><g:id>1</g:id><g:title>" + String(repeating: "x", count: 20_000_000) + "</g:title></item>"),
        "the document is broken"
    ),
    (
        "huge attribute", rss("<item x=\"" + String(repeating: "x", count: 20_000_000) + "\"><g:id>1</g:id></item>"),
        "the document is broken"
    ),
    ("unclosed", rss("<item><g:id>1</g:id></item>").replacing("</channel></rss>", with: ""), "the document is broken"),
    ("two roots", rss("") + rss(""), "the document is broken"), ("not a feed", "<html><body/></html>", "the root element is html"),
    ("nothing", " \n", "the feed is empty"), ("zero byte", rss("<item><g:id>\u{0}</g:id></item>"), "the document is broken"),
    ("a table without ids", "name\tprice\nx\t1 EUR\n", "the header line has no column id"),
]

@Test(arguments: hostile) func `hostile input is refused in bounded time`(name: String, text: String, reason: String) {
    let start = ContinuousClock.now
    let result = readFeed(text, chunk: 65_536)
    #expect(result.failure?.contains(reason) == true, "\(name): \(result.failure ?? "accepted")")
    #expect(result.items.allSatisfy { $0.id == Array("1".utf8) })
    #expect(ContinuousClock.now - start < .seconds(5))
}

@Test func `a compressed feed says that it is`() {
    #expect(readFeed([0x1F, 0x8B, 8, 0]).failure?.contains("compressed with gzip") == true)
}

@Test func `items before a truncation are delivered and the end is an error`() {
    let text = rss((1...100).map { "<item><g:id>\($0)</g:id></item>" }.joined())
    let result = readFeed(Array(text.utf8.prefix(text.utf8.count / 2)))
    #expect((20...60).contains(result.items.count))
    #expect(result.failure != nil)
}

@Test func `items, fields, bytes and depth have limits`() {
    let text = rss("<item><g:id>1</g:id><g:title>\(String(repeating: "x", count: 100))</g:title></item><item><g:id>2</g:id></item>")
    #expect(readFeed(text, limits: FeedLimits(items: 1)).failure?.contains("more than 1 items") == true)
    #expect(readFeed(text, limits: FeedLimits(totalBytes: 50)).failure?.contains("more than 50 bytes") == true)
    #expect(readFeed(text, limits: FeedLimits(depth: 3)).failure?.contains("nested deeper than 3 levels") == true)
    let long = readFeed(text, limits: FeedLimits(fieldBytes: 99))
    #expect(long.rejected.map(\.reason) == ["title has more than 99 bytes"])
    #expect(long.items.map(\.id) == [Array("2".utf8)])
}

@Test func `a feed of 2,000 items is read whole from a file`() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("feed-\(UUID().uuidString).xml").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let items = (1...2_000).map { mug.replacing("P-1", with: "P-\($0)") }.joined()
    try Data(rss(items).utf8).write(to: URL(fileURLWithPath: path))
    var ids: [String] = []
    try MerchantFeedReader().read(path: path) {
        ids.append(String(decoding: $0.id, as: UTF8.self))
    } rejected: {
        Issue.record("\($0)")
    }
    #expect(ids == (1...2_000).map { "P-\($0)" })
}

@Test func `no mutation of a feed crashes the reader`() {
    var random = SeededGenerator(seed: 3)
    let sample = Array(rss(mug + mug).utf8)
    for _ in 0..<1_000 {
        var bytes = sample
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = Array("<>&;\"'/ x\u{0}".utf8).randomElement(using: &random) ?? 0xFF
        }
        #expect(readFeed(bytes, chunk: 50).items.count <= 2)
    }
}
