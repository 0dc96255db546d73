import Tastemaker
import Web

extension ConsoleRoutes {
    static let today: [ConsoleRoute] = [
        .page(.get, "/console", .signedIn, TodayPages.home),
        .group(.get, "", .signedIn, TodayPages.today),
        .page(.get, "/console/help", .signedIn) { visit in
            try visit.render("help", ["endpoint": .text(visit.environment.settings.publicURL), "demoURL": .url(.demo)])
        },
    ]
}

enum TodayPages {
    /// To the group that the person last worked in; the first steps where there is none.
    static func home(_ visit: Visit) throws -> Response {
        if let group = try visit.workingGroup() { return visit.redirect(to: .today(group)) }
        return try visit.render(
            "today/first-steps",
            ["canChange": .bool(visit.may(.operators)), "newGroupURL": .url(.newGroup), "demoURL": .url(.demo)])
    }

    static func today(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let overview = try visit.environment.overview(datasetGroupID: group.id, by: visit.caller)
        let format = PageFormat(group)
        let digest = visit.may(.viewMarketing) ? try visit.environment.todayDigest(datasetGroupID: group.id, by: visit.caller) : nil
        let attention = attention(overview, group, visit) + (digest?.needs ?? []).map { need($0, group) }
        return try visit.render(
            "today/show",
            [
                "title": "Today", "isEmpty": .bool(overview.items == 0 && overview.interactions == 0),
                "canChange": .bool(visit.may(.operators)), "uploadURL": .url(.upload(group)), "trackerURL": .url(.tracker(group)),
                "demoURL": .url(.demo), "placementsURL": .url(.placements(group)), "jobsURL": .url(.jobs(group)),
                "canSeePlacements": .bool(visit.may(.viewMarketing)), "canSeeJobs": .bool(visit.may(.viewOperation)),
                "hasTracker": .bool(overview.hasTracker),
                "digest": .list([digest?.money, digest?.changes].compactMap { $0 }.map { ["text": .text($0)] }),
                "hasDigest": .bool(digest != nil),
                "attention": .list(attention), "hasAttention": .bool(!attention.isEmpty), "tiles": .list(tiles(overview, format)),
                "places": .list(overview.places.map { place($0, overview, group, format) }), "hasPlaces": .bool(!overview.places.isEmpty),
                "jobs": .list(overview.jobs.map { JobPages.row($0, visit, group) }), "hasJobs": .bool(!overview.jobs.isEmpty),
            ])
    }

    /// What needs somebody, most pressing first.
    private static func attention(_ overview: GroupOverview, _ group: DatasetGroup, _ visit: Visit) -> [ViewModel] {
        var entries: [ViewModel] = overview.failedJobs.map { job in
            [
                "kind": "bad", "text": .text("\(JobPages.name(of: job.kind)) failed: \(job.error ?? "no reason was kept")"),
                "url": .url(.jobs(group)), "label": "Jobs",
            ]
        }
        if overview.refusedEvents > 0 {
            let count =
                overview.refusedEvents >= 1000 ? "1,000 or more events" : PageFormat.count(overview.refusedEvents, "event", "events")
            entries.append([
                "kind": "warn", "text": .text("\(count) refused in the last seven days."), "url": .url(.tracker(group)), "label": "Why",
            ])
        }
        if overview.interactions > 0, overview.interactions < GroupOverview.firstModelInteractions {
            entries.append([
                "kind": "warn",
                "text": .text(missing(overview) + " for the first model. Until then, what is popular fills the placements."),
                "url": .url(.tracker(group)), "label": "Tracker",
            ])
        }
        return visit.may(.viewOperation) ? entries : []
    }

    private static func need(_ need: TodayDigest.Need, _ group: DatasetGroup) -> ViewModel {
        let url: URLValue =
            switch need.subject {
            case .promotion(let id): .promotion(id, group)
            case .experiment(let id): .experiment(id, group)
            }
        return ["kind": "warn", "text": .text(need.sentence), "url": .url(url), "label": "Open"]
    }

    /// `412 of 1,000 interactions`
    static func missing(_ overview: GroupOverview) -> String {
        "\(PageFormat.number(overview.interactions)) of \(PageFormat.number(GroupOverview.firstModelInteractions)) interactions"
    }

    private static func tiles(_ overview: GroupOverview, _ format: PageFormat) -> [ViewModel] {
        let last: ViewValue = overview.lastEventAt.map { format.moment($0) } ?? "none yet"
        return [
            ["label": "Items", "value": .text(PageFormat.number(overview.items)), "note": "known to this dataset group"],
            ["label": "Visitors", "value": .text(PageFormat.number(overview.users)), "note": "users and anonymous visitors"],
            [
                "label": "Interactions",
                "value": .text((overview.interactions >= 10_000 ? "about " : "") + PageFormat.number(overview.interactions)),
                "note": "views, clicks, purchases and other events",
            ],
            ["label": "Last event", "value": last, "note": "through the tracker or the API"],
        ]
    }

    private static func place(_ place: GroupOverview.Place, _ overview: GroupOverview, _ group: DatasetGroup, _ format: PageFormat)
        -> ViewModel
    {
        let rung: (kind: String, label: String)
        if place.trainedAt != nil {
            rung = ("good", "model")
        } else if overview.interactions == 0 {
            rung = ("warn", "newest items; waiting for the first event")
        } else if overview.interactions < GroupOverview.firstModelInteractions {
            rung = ("warn", "popular items; \(missing(overview))")
        } else {
            rung = ("busy", place.isAutomatic ? "popular items; the first model is next" : "popular items; no campaign chosen")
        }
        return [
            "name": .text(place.title), "url": .url(.page(group, "placements", place.name)), "kind": .text(rung.kind),
            "rung": .text(rung.label), "campaign": .text(place.campaign), "trainedAt": format.moment(place.trainedAt),
        ]
    }
}
