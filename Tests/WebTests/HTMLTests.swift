import JSON
import Testing

@testable import Web

struct HTMLTests {
    /// By Characters, `<` and a combining mark are one other Character.
    @Test(arguments: [
        ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;"), ("a\"\u{301} onload=x", "a&quot;\u{301} onload=x"),
        ("<\u{338}script", "&lt;\u{338}script"),
        ("'\u{200D}", "&#39;\u{200D}"), ("plain é", "plain é"), ("", ""), ("a\u{0}b", "a\u{FFFD}b"),
    ])
    func `text is escaped byte by byte`(text: String, escaped: String) {
        #expect(Array(HTML(escaping: text).text.utf8) == Array(escaped.utf8))
    }

    @Test func `a data island cannot end its script element`() throws {
        let html = HTML(dataIsland: .array([.string("</script><!-- & \u{2028}\u{2029}é")]))
        #expect(!html.text.contains("<"))
        #expect(html.text.utf8.elementsEqual(#"["\u003c/script\u003e\u003c!-- \u0026 \u2028\u2029é"]"#.utf8))
        #expect(try JSONValue(parsing: html.text) == .array([.string("</script><!-- & \u{2028}\u{2029}é")]))
    }

    @Test(arguments: [
        "javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\nscript:x", "data:text/html,x", "//evil.example",
        "/\\evil.example", "/\t/evil.example", "vbscript:x", "evil.example", "http:/x", "https:", "mailto:x",
    ])
    func `a URL that leads elsewhere than it seems is refused`(text: String) {
        #expect(URLValue(text) == nil)
    }

    @Test(arguments: [
        ("/items?id=1&x=2#top", "/items?id=1&x=2#top"), ("https://example.com/a b", "https://example.com/a%20b"),
        ("HTTP://x/", "HTTP://x/"),
        ("?page=2", "?page=2"), ("#a", "#a"), ("/a\"b<c>", "/a%22b%3Cc%3E"), ("/é", "/%C3%A9"),
    ])
    func `a URL of this site or of the web is kept, what no URL holds is encoded`(text: String, url: String) {
        #expect(URLValue(text)?.text == url)
    }

    @Test func `a path is built from encoded segments`() {
        #expect(URLValue(path: ["items", "a/b c"], query: [("q", "x&y"), ("é", "")]).text == "/items/a%2Fb%20c?q=x%26y&%C3%A9=")
        #expect(URLValue(path: ["items", "..", "x"]).text == "/items/-/x")
        #expect(URLValue(path: []).text == "/")
        #expect(URLValue(path: ["", "evil.example"]).text == "/")
    }

    @Test func `a redirect goes to a checked URL only`() throws {
        let response = Response.redirect(try #require(URLValue("/items/é")))
        #expect(response.status == .seeOther)
        #expect(response.header("Location") == "/items/%C3%A9")
    }

    @Test(arguments: [
        (0.0, "0"), (-0.001, "0"), (1.5, "1.5"), (-2.25, "-2.25"), (1.005, "1"), (0.05, "0.05"), (100, "100"), (Double.nan, "0"),
        (1e300, "0"),
    ])
    func `the markup writer writes short numbers`(number: Double, text: String) {
        var writer = MarkupWriter()
        writer.number(number)
        #expect(writer.html.text == text)
    }

    @Test func `the markup writer escapes values and keeps literals`() {
        var writer = MarkupWriter()
        writer.markup("<text x=\"")
        writer.integer(-3)
        writer.markup("\">")
        writer.text("<&")
        writer.markup("</text>")
        #expect(writer.html.text == "<text x=\"-3\">&lt;&amp;</text>")
    }
}

struct TemplateTests {
    static func render(_ template: String, _ model: ViewModel, others: [(name: String, text: String)] = []) throws -> String {
        let library = try TemplateLibrary(sources: [(name: "page", text: template)] + others)
        return String(decoding: try library.render("page", model), as: UTF8.self)
    }

    /// swift-mustache escapes by Character: this quote, with an accent upon it, would end the attribute.
    @Test func `a quote with a combining mark cannot end an attribute`() throws {
        let page = try Self.render("<p title=\"{{name}}\">{{name}}</p>", ["name": .text("x\"\u{301} onmouseover=alert(1) <\u{338}b")])
        #expect(
            page.utf8.elementsEqual(
                "<p title=\"x&quot;\u{301} onmouseover=alert(1) &lt;\u{338}b\">x&quot;\u{301} onmouseover=alert(1) &lt;\u{338}b</p>".utf8))
    }

    @Test func `values are escaped once, in sections, partials and blocks alike`() throws {
        let page = try Self.render(
            "{{<layout}}{{$content}}{{#rows}}{{>row}}{{/rows}}{{^rows}}none{{/rows}}{{/content}}{{/layout}}",
            ["rows": .list([["name": "<a>"], ["name": "&amp;"]]), "title": "T & U"],
            others: [
                (name: "layout", text: "<h1>{{title}}</h1>{{$content}}{{/content}}"),
                (name: "row", text: "<li>{{name}}{{{name}}}{{&name}}</li>"),
            ])
        #expect(page == "<h1>T &amp; U</h1><li>&lt;a&gt;&lt;a&gt;&lt;a&gt;</li><li>&amp;amp;&amp;amp;&amp;amp;</li>")
    }

    @Test func `text that looks like a tag of the template stays text`() throws {
        #expect(try Self.render("{{name}}", ["name": "{{secret}}", "secret": "x"]) == "{{secret}}")
    }

    @Test func `sections follow flags, empty text and lists, and see outer names`() throws {
        let template =
            "{{#yes}}{{outer}}{{/yes}}{{^no}}b{{/no}}{{#empty}}c{{/empty}}{{#list}}{{.}}{{outer}};{{/list}}{{#object}}{{inner}}{{/object}}"
        let page = try Self.render(
            template, ["yes": true, "no": false, "empty": "", "outer": "o", "list": ["1", "2"], "object": .object(["inner": "i"])])
        #expect(page == "ob1o;2o;i")
    }

    @Test func `a name that the model lacks is an error`() {
        #expect(throws: TemplateLibrary.TemplateError.incomplete(template: "page", ["the view model has no value 'nmae'"])) {
            try Self.render("{{name}}{{nmae}}", ["name": "x"])
        }
        #expect(throws: TemplateLibrary.TemplateError.self) { try Self.render("{{#rows}}{{x}}{{/rows}}", ["rows": .list([["y": "1"]])]) }
        #expect(throws: TemplateLibrary.TemplateError.self) { try Self.render("{{#gone}}x{{/gone}}", [:]) }
    }

    @Test func `a list or an object cannot be printed`() {
        #expect(throws: TemplateLibrary.TemplateError.self) { try Self.render("{{rows}}", ["rows": .object(["a": "b"])]) }
    }

    @Test func `an attribute that leads somewhere takes only a URL`() throws {
        let url = try #require(URLValue("/x?a=1&b=2"))
        #expect(try Self.render("<a href=\"{{editURL}}\">", ["editURL": .url(url)]) == "<a href=\"/x?a=1&amp;b=2\">")
        #expect(throws: TemplateLibrary.TemplateError.self) {
            try Self.render("<a href=\"{{editURL}}\">", ["editURL": "javascript:alert(1)"])
        }
    }

    @Test(arguments: [
        "<p class={{a}}>", "<p {{a}}>", "<script>{{a}}</script>", "<style>{{a}}</style>", "<a onclick=\"{{a}}\">", "<p style=\"x:{{a}}\">",
        "<!-- {{a}} -->", "{{=<% %>=}}", "{{% CONTENT_TYPE:HTML}}", "{{>missing}}", "<p title='x' {{a}}>", "{{#a}}", "<{{a}}>x",
    ])
    func `a template that no escaping can mend is refused at start`(template: String) {
        #expect(throws: TemplateLibrary.TemplateError.self) { try TemplateLibrary(sources: [(name: "page", text: template)]) }
    }

    @Test(arguments: [
        "<p title='{{a}}'>{{a}}</p>", "<script type=\"application/json\" id=\"d\">{{a}}</script><p>{{a}}",
        "<option {{#a}}selected{{/a}} value=\"{{a}}\">",
        "<title>{{a}}</title>", "<textarea>{{a}}</textarea>", "<script nonce=\"{{a}}\">let x = 1 < 2</script>",
        "{{! a comment }}1 < 2 {{a}}",
    ])
    func `a template with values in their places is taken`(template: String) throws {
        #expect(try Self.render(template, ["a": "v"]).contains("{{") == false)
    }
}
