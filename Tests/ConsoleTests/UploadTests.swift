import Foundation
import Support
import Testing
import Web

@testable import Console
@testable import Tastemaker

struct UploadTests {
    static func multipart(_ parts: [(name: String, file: String?, body: String)]) -> (type: String, body: [UInt8]) {
        var text = ""
        for part in parts {
            text += "--border\r\nContent-Disposition: form-data; name=\"\(part.name)\"" + (part.file.map { "; filename=\"\($0)\"" } ?? "")
            text += "\r\n\r\n\(part.body)\r\n"
        }
        return ("multipart/form-data; boundary=border", Array((text + "--border--\r\n").utf8))
    }

    static let items = "item_id,title,genres\n" + (1...20).map { "i\($0),Lamp \($0) <b>,Light|Home" }.joined(separator: "\n") + "\n"

    @Test func `an upload is shown before it is stored, then imported on one confirmation`() throws {
        let site = try ConsoleSite()
        let group = try site.group()
        let browser = try site.browser(.operator)
        try browser.get("/console/groups/shop/upload")
        let answer = try browser.upload(
            "/console/groups/shop/upload", Self.multipart([("csrf", nil, browser.csrf), ("file", "../items.csv", Self.items)]))
        #expect(answer.status == .seeOther)
        let preview = try #require(answer.header("Location"))
        #expect(try browser.follow(answer).status == .ok)
        #expect(browser.lastPage.contains("Lamp 1 &lt;b&gt;") && browser.lastPage.contains("What each column becomes"))
        #expect(try site.environment.listDatasets(datasetGroupARN: nil, PageRequest(), by: .system).items.isEmpty)
        let file = try #require(preview.split(separator: "=").last.map(String.init))
        let confirmed = try browser.post("/console/groups/shop/upload/confirm", [("file", file), ("mode", "FULL")])
        #expect(confirmed.status == .seeOther)
        #expect(try browser.follow(confirmed).status == .ok)
        #expect(browser.lastPage.contains("The import has begun."))
        #expect(try site.environment.describeDatasetGroup(id: group.id, by: .system).displayColumns.title != nil)
    }

    @Test(arguments: [
        ("actions.csv", "action_id,created_at,value\na1,2026-01-01,3\na2,2026-01-02,4\n", "an action of the same id is replaced"),
        ("people.csv", "user_id,plan\nu1,gold\nu2,gold\n", "a visitor of the same id is replaced"),
    ])
    func `a preview speaks of what the file holds`(_ name: String, _ text: String, _ sentence: String) throws {
        let site = try ConsoleSite()
        _ = try site.group()
        let browser = try site.browser(.operator)
        try browser.get("/console/groups/shop/upload")
        let form = Self.multipart([("csrf", nil, browser.csrf), ("file", name, text)])
        try browser.follow(browser.upload("/console/groups/shop/upload", form))
        #expect(browser.lastPage.contains(sentence))
        #expect(!["an item ", "of the items ", "the item "].contains { browser.lastPage.contains($0) }, "\(browser.lastPage)")
    }

    @Test func `an upload without its token is refused and leaves no file`() throws {
        let site = try ConsoleSite()
        _ = try site.group()
        let browser = try site.browser(.operator)
        try browser.get("/console/groups/shop/upload")
        for parts in [[("file", "a.csv", Self.items)], [("csrf", nil, "wrong"), ("file", "a.csv", Self.items)]]
            as [[(String, String?, String)]]
        {
            let form = Self.multipart(parts.map { (name: $0.0, file: $0.1, body: $0.2) })
            #expect(try browser.upload("/console/groups/shop/upload", form).status == .forbidden)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: site.environment.settings.uploadFolder).isEmpty)
    }

    @Test func `a form without a file says so`() throws {
        let site = try ConsoleSite()
        _ = try site.group()
        let browser = try site.browser(.operator)
        try browser.get("/console/groups/shop/upload")
        let answer = try browser.upload("/console/groups/shop/upload", Self.multipart([("csrf", nil, browser.csrf), ("file", "", "")]))
        #expect(answer.status == .unprocessableContent)
        #expect(browser.lastPage.contains("Choose a file first."))
    }

    @Test func `a file that is no table is shown with its problem and cannot be imported`() throws {
        let site = try ConsoleSite()
        _ = try site.group()
        let browser = try site.browser(.operator)
        try browser.get("/console/groups/shop/upload")
        let answer = try browser.upload(
            "/console/groups/shop/upload",
            Self.multipart([
                ("csrf", nil, browser.csrf), ("file", "x.xml", "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>"),
            ]))
        #expect(try browser.follow(answer).status == .ok)
        #expect(browser.lastPage.contains("Nothing was stored"))
        #expect(!browser.lastPage.contains("upload/confirm"))
    }

    @Test(arguments: ["../secret.key", "..", "nginx/x", ""]) func `only an upload can be shown`(name: String) throws {
        let site = try ConsoleSite()
        _ = try site.group()
        let browser = try site.browser(.operator)
        let answer = try browser.get("/console/groups/shop/upload/preview?file=\(PercentCoding.encode(name))")
        #expect(answer.status == .ok && !browser.lastPage.contains("upload/confirm"))
    }

    @Test func `a visitor is erased after the box is ticked`() throws {
        let site = try ConsoleSite()
        _ = try Shop(site: site)
        let browser = try site.browser(.operator)
        try browser.get("/console/groups/shop/visitors?user=visitor-1")
        #expect(browser.lastPage.contains("Erase this visitor"))
        #expect(try browser.post("/console/groups/shop/visitors/erase", [("user", "visitor-1")]).status == .unprocessableContent)
        #expect(try browser.post("/console/groups/shop/visitors/erase", [("user", "visitor-1"), ("sure", "on")]).status == .seeOther)
        try browser.get("/console/groups/shop/visitors?user=visitor-1")
        #expect(browser.lastPage.contains("Nothing is known of this visitor."))
    }
}
