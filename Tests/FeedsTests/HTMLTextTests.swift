import Feeds
import Testing

@Test(arguments: [
    ("plain", "plain"), ("  a \n\t b  ", "a b"), ("<p>a</p><p>b</p>", "a b"), ("<b>bo</b>ld", "bold"), ("a<br>b<br/>c", "a b c"),
    ("5 < 6 & 7 > 3", "5 < 6 & 7 > 3"), ("a &lt;b&gt; c", "a <b> c"), ("caf&eacute; &#233; &#xE9; &euro;", "café é é €"),
    ("a&nbsp;&nbsp;b\u{A0}c", "a b c"), ("&nosuch; &#0; &#xD800; &#99999999; &;", "&nosuch; &#0; &#xD800; &#99999999; &;"),
    ("<script>var a = '<p>';</script>x<style>p{}</style>y", "x y"), ("a<!-- <b> -->c", "a c"), ("<a title=\"x>y\">z</a>", "z"),
    ("a <b", "a <b"), ("<![CDATA[a]]> b]]>", "a b]]>"), ("<SCRIPT>x</SCRIPT >y", "y"), ("", ""), ("日<i>本</i>", "日本"),
    ("<p title='it", "<p title='it"),
])
func `markup becomes plain text`(html: String, text: String) {
    #expect(HTMLText.plain(from: html) == text)
}

@Test func `no text takes more than linear time or gives markup a way back`() {
    let start = ContinuousClock.now
    for unit in ["<a ", "<a \"", "&amp", "<!--", "<script>", "<p>", "</", "<a title='"] {
        _ = HTMLText.plain(from: String(repeating: unit, count: 65_536 / unit.utf8.count))
    }
    #expect(ContinuousClock.now - start < .seconds(10))
}
