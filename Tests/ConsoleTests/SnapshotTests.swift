import Foundation
import Support
import Testing
import Web

@testable import Console
@testable import Tastemaker

/// Whole pages as files: a changed page is reviewed like code. TASTEMAKER_RECORD=1 writes them anew.
struct SnapshotTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Snapshots")

    @Test(arguments: [
        ("sign-in", "/console/sign-in"), ("today", "/console/groups/shop"), ("campaign", "/console/groups/shop/campaigns/my-campaign"),
        ("version", "/console/groups/shop/solutions/my-solution/00000000"), ("jobs", "/console/groups/shop/jobs"),
    ])
    func `a page is as it was reviewed`(name: String, path: String) throws {
        let site = try ConsoleSite()
        _ = try Shop(site: site)
        let browser = name == "sign-in" ? Browser(site: site) : try site.browser(.admin)
        #expect(try browser.get(path).status == .ok)
        let page = stable(browser.lastPage)
        let file = Self.folder.appending(path: "\(name).html")
        if ProcessInfo.processInfo.environment["TASTEMAKER_RECORD"] != nil {
            try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
            try Data(page.utf8).write(to: file)
        }
        let known = try String(contentsOf: file, encoding: .utf8)
        #expect(page == known, "\(difference(known, page))")
    }

    /// Without what differs from run to run: tokens, and times that the database set.
    private func stable(_ page: String) -> String {
        page.replacing(/name="csrf" value="[^"]*"/, with: "name=\"csrf\" value=\"TOKEN\"")
            .replacing(/<time datetime="20[^<]*<\/time>/) { match in match.0.contains("2026-09-21") ? String(match.0) : "<time>TIME</time>"
            }
    }

    private func difference(_ known: String, _ page: String) -> String {
        let pairs = zip(
            known.split(separator: "\n", omittingEmptySubsequences: false), page.split(separator: "\n", omittingEmptySubsequences: false))
        return pairs.first { $0 != $1 }.map { "was: \($0)\nis:  \($1)" } ?? "the pages differ in length"
    }
}
