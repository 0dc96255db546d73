import Tastemaker
import Web

/// The links beside every page. A link is shown to those whose role may open it.
enum Navigation {
    private struct Link {
        let label: String
        /// Follows the group's address; from the root when it begins with `/console`.
        let path: String
        let access: Access
        /// Only dataset groups of a domain have it.
        let isOfDomain: Bool

        init(_ label: String, _ path: String, _ access: Access, isOfDomain: Bool = false) {
            self.label = label
            self.path = path
            self.access = access
            self.isOfDomain = isOfDomain
        }
    }

    private static let groups: [(label: String, links: [Link])] = [
        (
            "Marketing",
            [
                Link("Today", "", .signedIn), Link("Placements", "/placements", .viewMarketing),
                Link("Promotions", "/promotions", .viewMarketing), Link("Experiments", "/experiments", .viewExperiments),
                Link("Metrics", "/metrics", .viewMetrics), Link("Items", "/items", .signedIn),
            ]
        ),
        (
            "Operation",
            [
                Link("Data", "/data", .viewOperation), Link("Solutions", "/solutions", .viewOperation),
                Link("Campaigns", "/campaigns", .tryCampaigns),
                Link("Recommenders", "/recommenders", .viewOperation, isOfDomain: true), Link("Filters", "/filters", .viewOperation),
                Link("Tracker", "/tracker", .viewOperation), Link("Visitors", "/visitors", .operators),
                Link("Jobs", "/jobs", .viewOperation),
            ]
        ),
        (
            "Installation",
            [
                Link("Dataset groups", "/console/groups", .viewOperation), Link("Schemas", "/console/schemas", .viewOperation),
                Link("Keys", "/console/keys", .operators), Link("Accounts", "/console/accounts", .admins),
                Link("Audit", "/console/audit", .operators), Link("Your password", "/console/password", .signedIn),
            ]
        ),
    ]

    static func value(for visit: Visit, group: DatasetGroup?) -> ViewValue {
        guard let role = visit.session?.role else { return [] }
        let path = String(decoding: visit.request.rawPath, as: UTF8.self)
        let base = group.map { URLValue.today($0).text }
        return .list(
            groups.compactMap { section in
                let links = section.links.filter { $0.access.allows(role) && (!$0.isOfDomain || group?.domain != nil) }
                    .compactMap { link in item(link, base: base, path: path) }
                return links.isEmpty ? nil : ["label": .text(section.label), "links": .list(links)]
            })
    }

    private static func item(_ link: Link, base: String?, path: String) -> ViewModel? {
        let isGlobal = link.path.hasPrefix("/console")
        guard isGlobal || base != nil, let url = URLValue(isGlobal ? link.path : (base ?? "") + link.path) else { return nil }
        let form = URLValue((base ?? "") + "/new-" + link.path.dropFirst().dropLast())
        let isPrefix = path == url.text || path.hasPrefix(url.text + "/") || (!isGlobal && path == form?.text)
        let isCurrent = link.path.isEmpty || link.path == "/console/groups" ? path == url.text : isPrefix
        return ["label": .text(link.label), "url": .url(url), "isCurrent": .bool(isCurrent)]
    }
}
