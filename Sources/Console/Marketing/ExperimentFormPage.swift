import Tastemaker
import Web

/// A new experiment on one page. "How large an effect?" tells what it could see before it is made.
enum ExperimentFormPage {
    private static let armCount = 4

    static func submit(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        let form = try visit.form()
        if form["do"] == "forecast" {
            do throws(OperationError) {
                let input = try input(form, group)
                let forecast = try visit.environment.forecastExperiment(input, datasetGroupID: group.id, by: visit.caller)
                let sentence = forecast.sentence(input.primaryMetric, currency: group.currency)
                return try page(visit, group, form, sentence, FormState(form, .invalidInput("", field: "none")))
            } catch {
                return try refused(visit, group, form, error)
            }
        }
        do throws(OperationError) {
            let experiment = try visit.environment.createExperiment(input(form, group), datasetGroupID: group.id, by: visit.caller)
            return visit.redirect(
                to: .experiment(experiment.id, group), .good("A draft is made. Read what it will be able to see, then start it."))
        } catch {
            return try refused(visit, group, form, error)
        }
    }

    private static func page(
        _ visit: Visit, _ group: DatasetGroup, _ form: Form, _ sentence: String?, _ state: FormState
    ) throws(OperationError) -> Response {
        do { return try show(visit, group, form, sentence, state) } catch { throw OperationError(error) }
    }

    private static func refused(_ visit: Visit, _ group: DatasetGroup, _ form: Form, _ error: OperationError) throws -> Response {
        switch error {
        case .invalidInput, .alreadyExists, .inUse, .limitExceeded:
            var response = try show(visit, group, form, nil, FormState(form, error))
            response.status = .unprocessableContent
            return response
        default: throw error
        }
    }

    static func show(_ visit: Visit, _ group: DatasetGroup, _ form: Form?, _ forecast: String?, _ state: FormState) throws -> Response {
        let placements = try visit.environment.listPlacements(datasetGroupID: group.id, by: visit.caller)
        let campaigns = try visit.environment.listCampaigns(solutionARN: nil, PageRequest(), by: visit.caller).items.map(\.name)
        let filters = try FilterPages.filters(visit, group).map(\.name)
        let promotions = try visit.environment.listPromotions(datasetGroupID: group.id, by: visit.caller).filter { $0.archivedAt == nil }
        let fields = ["name", "hypothesis", "convertingEvent", "windowDays", "coverage", "plannedEnd"]
        return try visit.render(
            "experiments/form",
            [
                "listURL": .url(.experiments(group)), "actionURL": .url(.page(group, "new-experiment")),
                "problem": forecast == nil ? state.otherError(besides: fields) : false, "forecast": .text(forecast),
                "hasPlacements": .bool(!placements.isEmpty), "placementsURL": .url(.placements(group)), "name": state.field("name"),
                "hypothesis": state.field("hypothesis"), "places": state.options("placement", placements.map { ($0.name, $0.title) }),
                "metrics": state.options(
                    "primaryMetric", Experiment.PrimaryMetric.allCases.map { ($0.rawValue, ExperimentPages.name(of: $0)) },
                    default: "revenue"),
                "convertingEvent": state.field("convertingEvent", default: "Purchase"),
                "windowDays": state.field("windowDays", default: "7"), "coverage": state.field("coverage", default: "100"),
                "plannedEnd": state.field("plannedEnd"), "localZone": .text(group.timeZone),
                "arms": .list((0..<armCount).map { arm($0, state, campaigns, filters, promotions, form) }),
            ])
    }

    private static func arm(
        _ index: Int, _ state: FormState, _ campaigns: [String], _ filters: [String], _ promotions: [Promotion], _ form: Form?
    ) -> ViewModel {
        let ticked = Set(form?.values("promotion\(index)") ?? [])
        var sets = [("placement", "as on the placement"), ("none", "none")]
        if !promotions.isEmpty { sets.append(("listed", "only those ticked below")) }
        return [
            "index": .number(index), "legend": .text(index == 0 ? "Control" : "Arm \(index + 1)"),
            "armName": state.field("arm\(index)", default: index == 0 ? "As now" : index == 1 ? "New" : ""),
            "weight": state.field("weight\(index)", default: "1"), "isOptional": .bool(index > 1),
            "campaigns": state.options("campaign\(index)", [("", "the placement's")] + campaigns.map { ($0, $0) }),
            "filters": state.options("filter\(index)", [("", "the placement's")] + filters.map { ($0, $0) }),
            "sets": state.options("promotions\(index)", sets), "hasListed": .bool(!promotions.isEmpty), "isTicked": .bool(!ticked.isEmpty),
            "listed": .list(
                promotions.map { promotion in
                    [
                        "value": .text(String(promotion.id)), "label": .text(promotion.name),
                        "isSelected": .bool(ticked.contains(String(promotion.id))), "isDraft": .bool(promotion.published == nil),
                    ] as ViewModel
                }),
        ]
    }

    /// Ticks count only with the choice that they belong to, and the choice only with ticks: a marketer who forgot one of the two is asked.
    private static func promotions(of index: Int, _ name: String, _ form: Form) throws(OperationError) -> Experiment.Arm.PromotionSet {
        let ticked = form.values("promotion\(index)").compactMap { Int32($0) }
        let choice = form["promotions\(index)"] ?? "placement"
        if choice == "listed" {
            guard !ticked.isEmpty else { throw .invalidInput("Tick the promotions of '\(name)', or choose none.", field: "arms") }
            return .listed(ticked)
        }
        guard ticked.isEmpty else {
            throw .invalidInput("Promotions of '\(name)' are ticked: choose 'only those ticked below', or untick them.", field: "arms")
        }
        return choice == "none" ? .none : .placement
    }

    /// The end is the end of the day that was chosen.
    private static func input(_ form: Form, _ group: DatasetGroup) throws(OperationError) -> ExperimentInput {
        guard let day = form.text("plannedEnd") else {
            throw .invalidInput("Choose the day on which the result is read.", field: "plannedEnd")
        }
        guard let end = (try? PromotionSchedule(startsAt: nil, endsAt: "\(day)T23:59", timeZone: group.zone))?.end else {
            throw .invalidInput("'\(day)' is not a day such as 2026-11-28.", field: "plannedEnd")
        }
        guard let window = form.text("windowDays").flatMap({ Int($0) }) else {
            throw .invalidInput("Give whole days.", field: "windowDays")
        }
        guard let coverage = form.text("coverage").flatMap({ Double($0) }) else { throw .invalidInput("Give per cent.", field: "coverage") }
        var arms: [ExperimentInput.Arm] = []
        for index in 0..<armCount {
            guard let name = form.text("arm\(index)") else { continue }
            guard let weight = form.text("weight\(index)").flatMap({ Double($0) }) else {
                throw .invalidInput("The weight of '\(name)' is not a number.", field: "arms")
            }
            arms.append(
                .init(
                    name: name, weight: weight, campaign: form.text("campaign\(index)"), filter: form.text("filter\(index)"),
                    promotions: try promotions(of: index, name, form)))
        }
        var input = ExperimentInput(
            name: form.text("name") ?? "", placement: form.text("placement") ?? "",
            primaryMetric: Experiment.PrimaryMetric(rawValue: form["primaryMetric"] ?? "") ?? .revenue, plannedEndAt: end, arms: arms)
        input.hypothesis = form.text("hypothesis") ?? ""
        input.convertingEvent = form.text("convertingEvent") ?? ""
        input.windowDays = window
        input.coverage = coverage / 100
        return input
    }
}
