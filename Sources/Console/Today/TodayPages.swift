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
        // The digest counts what is not counted yet, which the overview then reads.
        let digest = visit.may(.viewMarketing) ? try visit.environment.todayDigest(datasetGroupID: group.id, by: visit.caller) : nil
        let overview = try visit.environment.overview(datasetGroupID: group.id, by: visit.caller)
        let format = PageFormat(group)
        let fills = try fills(overview, group, visit)
        let attention = attention(overview, fills, group, visit) + (digest?.needs ?? []).map { need($0, group) }
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
                "places": .list(overview.places.map { place($0, fills[$0.name], group, format) }),
                "hasPlaces": .bool(!overview.places.isEmpty),
                "jobs": .list(overview.jobs.map { JobPages.row($0, visit, group) }), "hasJobs": .bool(!overview.jobs.isEmpty),
            ])
    }

    /// What needs somebody, most pressing first.
    private static func attention(_ overview: GroupOverview, _ fills: [String: Fill], _ group: DatasetGroup, _ visit: Visit) -> [ViewModel]
    {
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
        if overview.interactions > 0, let missing = overview.places.lazy.compactMap({ fills[$0.name]?.missing }).first {
            entries.append(["kind": "warn", "text": .text(missing), "url": .url(.tracker(group)), "label": "Tracker"])
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

    /// What answers at a place now, by the service that answers pages.
    private struct Fill {
        let rung: RecommendationAnswer.Rung?
        let isDegraded: Bool
        /// `412 of 1,000 interactions: …`, or why there is no list.
        let missing: String?
    }

    private static func fills(_ overview: GroupOverview, _ group: DatasetGroup, _ visit: Visit) throws -> [String: Fill] {
        let about = try visit.environment.listPlacements(datasetGroupID: group.id, by: visit.caller).filter(\.purpose.isAboutItem)
        let item = about.isEmpty ? nil : try visit.environment.searchItems(in: group, text: "", limit: 1, by: visit.caller).first?.itemID
        var fills: [String: Fill] = [:]
        for place in overview.places {
            var request = RecommendationRequest(target: .placement(name: place.name, datasetGroupID: group.id))
            request.previewAt = visit.environment.now()
            if about.contains(where: { $0.name == place.name }) { request.itemID = item }
            do throws(OperationError) {
                let answer = try visit.services.recommendations.recommend(request, by: visit.caller)
                let missing = answer.rung == .model && !answer.isDegraded ? nil : answer.notes.first
                fills[place.name] = Fill(rung: answer.rung, isDegraded: answer.isDegraded, missing: missing)
            } catch {
                fills[place.name] = Fill(rung: nil, isDegraded: true, missing: error.sentence)
            }
        }
        return fills
    }

    private static func tiles(_ overview: GroupOverview, _ format: PageFormat) -> [ViewModel] {
        return [
            ["label": "Items", "value": .text(PageFormat.number(overview.items)), "note": "known to this dataset group"],
            ["label": "Visitors", "value": .text(PageFormat.number(overview.users)), "note": "users and anonymous visitors"],
            [
                "label": "Interactions",
                "value": .text(interactions(overview.interactions)),
                "note": "views, clicks, purchases and other events",
            ],
            lastEvent(overview, format),
        ]
    }

    /// What came one by one, else what an import brought.
    private static func lastEvent(_ overview: GroupOverview, _ format: PageFormat) -> ViewModel {
        if let time = overview.lastEventAt {
            return ["label": "Last event", "value": format.moment(time), "note": "through the tracker or the API"]
        }
        guard let quarter = overview.lastCountedAt else {
            return ["label": "Last event", "value": "none yet", "note": "through the tracker, the API or an import"]
        }
        return [
            "label": "Last event", "value": format.moment(quarter),
            "note": "to a quarter of an hour; from an import, or more than eight days old",
        ]
    }

    /// Exact to 10,000; above it the planner's estimate, which may not have been made yet.
    private static func interactions(_ count: Int64) -> String {
        switch count {
        case ..<10_000: PageFormat.number(count)
        case 10_000: "over 10,000"
        default: "about " + PageFormat.number(count)
        }
    }

    private static func place(_ place: GroupOverview.Place, _ fill: Fill?, _ group: DatasetGroup, _ format: PageFormat) -> ViewModel {
        let kind = fill?.rung == .model && fill?.isDegraded == false ? "good" : "warn"
        return [
            "name": .text(place.title), "url": .url(.page(group, "placements", place.name)), "kind": .text(kind),
            "rung": .text(fill?.rung.map(RungText.label) ?? "no list"), "missing": .text(fill?.missing),
            "campaign": .text(place.campaign), "trainedAt": format.moment(place.trainedAt),
        ]
    }
}
