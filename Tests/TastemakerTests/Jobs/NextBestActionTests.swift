import JSON
import Postgres
import Support
import Testing

@testable import Tastemaker

/// Next best actions from the files to the answers.
@Suite struct NextBestActionTests {
    private static func rows(_ shop: Shop) throws -> [String] {
        try shop.rows(
            """
            SELECT concat_ws(' ', u.external_id, k.external_id, i.event_type) FROM interaction i
            JOIN dataset d ON d.id = i.dataset_id AND d.type = 'ACTION_INTERACTIONS'
            JOIN user_key u ON u.dataset_group_id = d.dataset_group_id AND u.id = i.user_id
            JOIN action_key k ON k.dataset_group_id = d.dataset_group_id AND k.id = i.item_id
            ORDER BY i.occurred_at, i.ordinal
            """)
    }

    private static func history(_ user: String, _ shop: Shop) throws -> [String] {
        let entries = try shop.environment.read { connection in
            try connection.query(
                """
                SELECT h.entries FROM action_history h JOIN user_key u ON u.dataset_group_id = h.dataset_group_id AND u.id = h.user_id
                WHERE u.external_id = \(user)
                """
            ).first?.bytes(0) ?? []
        }
        let names = try shop.rows("SELECT external_id FROM action_key WHERE dataset_group_id = \(shop.group.id) ORDER BY id")
        return PackedHistory.unpack(entries).map { "\(names[Int($0.item)]) \($0.eventType)" }
    }

    /// In memory, and through the staging table.
    @Test(arguments: [nil, 0] as [Int?])
    func `imports replace and add actions and responses`(_ memory: Int?) throws {
        let actions = try ActionShop(importMemoryBytes: memory)
        let shop = actions.shop
        let header = ActionShop.actionsHeader
        #expect(try shop.importText(header + "x,coupon,3,,\ny,,,,5\nbad,,11,,\n", as: .actions).rowsRejected == 1)
        #expect(try shop.importText(header + "y,letter,2,,\nz,,1,,\n", as: .actions, mode: .incremental).status == .active)
        #expect(
            try shop.rows(
                "SELECT k.external_id || coalesce(' ' || (r.attributes->>'KIND'), '') FROM action_record r JOIN action_key k ON k.id = r.action_id ORDER BY 1"
            )
                == ["x coupon", "y letter", "z"])
        #expect(try shop.importText(header + "x,,1,,\n", as: .actions).status == .active)
        #expect(try shop.count("SELECT count(*) FROM action_record") == 1)

        let responses = ActionShop.interactionsHeader
        let first = try shop.importText(
            responses + "u,x,Taken,100\nu,y,NOT_TAKEN,101\nu,y,not taken,101\nv,x,viewed,102\nv,x,clicked,103\n", as: .actionInteractions)
        #expect(first.status == .active && first.rowsRejected == 1 && first.rowsDuplicate == 1)
        #expect(try Self.rows(shop) == ["u x 0", "u y 1", "v x 2"])
        #expect(
            try shop.importText(responses + "u,x,Taken,100\nu,z,Viewed,104\n", as: .actionInteractions, mode: .incremental).status
                == .active)
        #expect(try Self.rows(shop) == ["u x 0", "u y 1", "v x 2", "u z 2"])
        #expect(try Self.history("u", shop) == ["x 0", "y 1", "z 2"])
        #expect(try shop.importText(responses + "w,x,Taken,100\n", as: .actionInteractions).status == .active)
        #expect(try Self.rows(shop) == ["w x 0"])
        #expect(try Self.history("u", shop).isEmpty)
        // Items know nothing of it.
        #expect(try shop.count("SELECT count(*) FROM item_key") == 0)
        #expect(try shop.count("SELECT count(*) FROM event_type") == 0)
        try shop.environment.deleteDataset(arn: shop.arn(.dataset, "shop/ACTION_INTERACTIONS"), by: .system)
        #expect(try shop.count("SELECT count(*) FROM interaction") == 0)
    }

    @Test func `an event is stored once, under the user or the session, and follows what was imported`() throws {
        let actions = try ActionShop()
        try actions.shop.importText(ActionShop.interactionsHeader + "u,x,Viewed,\(actions.now - 500)\n", as: .actionInteractions)
        for _ in 0..<2 { try actions.put("u", "y", "not_Taken", ago: 5, id: "e1") }
        try actions.put("u", "y", "Taken", ago: 1)
        #expect(try Self.history("u", actions.shop) == ["x 2", "y 1", "y 0"])
        #expect(try Self.rows(actions.shop) == ["u x 2", "u y 1", "u y 0"])
        _ = try actions.environment.eraseUser("u", datasetGroupID: actions.shop.group.id, by: .system)
        #expect(try Self.rows(actions.shop).isEmpty)
        #expect(try actions.shop.count("SELECT count(*) FROM action_history") == 0)
    }

    @Test func `a training says what it lacks`() throws {
        let actions = try ActionShop()
        let empty = try actions.train()
        #expect(empty.status == .createFailed)
        #expect(
            empty.failureReason == "Dataset has fewer than 1000 unique interactions after filtering: 0. "
                + "Dataset has fewer than 25 users with at least 2 interactions each. The Actions dataset has no actions.")
        try actions.environment.deleteDataset(arn: actions.arn(.dataset, "shop/ACTIONS"), by: .system)
        #expect(
            throws: OperationError.invalidInput("The dataset group has no Actions dataset to train on.", field: "solutionArn")
        ) { try actions.train() }
    }

    @Test func `without any response the model has no scores, and value orders the actions`() throws {
        let actions = try ActionShop()
        try actions.shop.importText(Shop.tastes())
        try actions.shop.importText(actions.actions, as: .actions)
        let version = try actions.train()
        try #require(version.status == .active, "\(version.failureReason ?? "")")
        try actions.deploy()
        let proposed = try actions.propose("u1")
        #expect(proposed.map(\.actionID) == ["new", "a1", "a0", "a2"])
        #expect(proposed.allSatisfy { $0.score == 0 })
    }

    @Test func `users get the actions of their third, and what they just did changes the answer`() throws {
        let actions = try ActionShop()
        try actions.importAll()
        let version = try actions.train()
        try #require(version.status == .active, "\(version.failureReason ?? "")")
        #expect(Set(version.contractMetrics.map(\.name)) == ["precision", "recall", "auc", "coverage"])
        #expect(Set(version.metrics.map(\.name)).isSuperset(of: ["log_loss", "brier", "base_log_loss"]))
        try actions.deploy()

        let first = try actions.propose("u1", count: 10)
        #expect(first.first?.actionID == "a1")
        #expect(first.last == ActionAnswer.Action(actionID: "new", score: 0))
        #expect(first.map(\.actionID).contains("gone") == false)
        #expect(first.allSatisfy { (0...1).contains($0.score) })

        // A stranger learns to like the third action before the eyes of the model.
        let before = try #require(try actions.propose("stranger").first { $0.actionID == "a0" }?.score)
        for hours in 1...4 { try actions.put("stranger", "a0", "Taken", ago: Int64(hours) * 3600) }
        let after = try #require(try actions.propose("stranger").first { $0.actionID == "a0" }?.score)
        #expect(after > before)

        // Taken today, the letter rests for ten days.
        #expect(try actions.propose("u2").first?.actionID == "a2")
        try actions.put("u2", "a2", "Taken")
        #expect(try !actions.propose("u2").contains { $0.actionID == "a2" })
        actions.shop.clock.advance(seconds: 10 * 86_400)
        #expect(try actions.propose("u2").contains { $0.actionID == "a2" })

        // A record that changes acts at once.
        try actions.shop.importText(
            ActionShop.actionsHeader + "a1,coupon,,\(actions.now - 1),\nfresh,coupon,2,,\n", as: .actions, mode: .incremental)
        let ids = try actions.propose("u1", count: 10).map(\.actionID)
        #expect(!ids.contains("a1") && ids.contains("fresh"))
    }

    @Test func `filters look at actions, at responses and at the user`() throws {
        let actions = try ActionShop()
        try actions.importAll()
        _ = try actions.train()
        try actions.deploy()
        func create(_ name: String, _ expression: String) throws {
            _ = try actions.environment.createFilter(
                CreateFilterInput(name: name, datasetGroupARN: actions.arn(.datasetGroup, "shop"), expression: expression), by: .system)
        }
        try create("declined", "EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN (\"NOT_TAKEN\")")
        try create("kind", "INCLUDE ActionID WHERE Actions.KIND IN ($K)")
        try create("worth", "INCLUDE ActionID WHERE Actions.VALUE > 4 IF CurrentUser.AGE > 30")
        try create("items", "INCLUDE ItemID WHERE Items.PRICE > 1")
        for refused in [
            "INCLUDE ActionID WHERE Actions.EXPIRATION_TIMESTAMP > 4", "INCLUDE ActionID WHERE Actions.COLOR IN (\"red\")",
            "INCLUDE ActionID WHERE Items.PRICE > 1",
        ] { #expect(throws: OperationError.self) { try create("refused", refused) } }

        func proposed(_ user: String, _ filter: String, _ values: [String: String] = [:]) throws -> Set<String> {
            Set(try actions.propose(user, count: 10, filter: .init(name: filter, values: values)).map(\.actionID))
        }
        #expect(try proposed("somebody", "declined") == ["a0", "a1", "a2", "new"])
        try actions.put("somebody", "a1", "Not Taken")
        #expect(try proposed("somebody", "declined") == ["a0", "a2", "new"])
        #expect(try proposed("somebody", "kind", ["K": "\"letter\""]) == ["a2", "new"])
        #expect(throws: OperationError.self) { try proposed("somebody", "kind") }
        #expect(try proposed("somebody", "worth") == ["a0", "a1", "a2", "new"])
        try actions.environment.putUsers(
            InputMembers([
                "datasetArn": .string(actions.arn(.dataset, "shop/USERS")),
                "users": [["userId": "somebody", "properties": "{\"age\":40}"]],
            ]), by: .system)
        #expect(try proposed("somebody", "worth") == ["a1", "new"])
        #expect(throws: OperationError.invalidInput("The filter items selects ItemID, not ActionID.", field: "filterArn")) {
            try proposed("somebody", "items")
        }
    }

    @Test func `new actions are explored now and then`() throws {
        let actions = try ActionShop()
        try actions.importAll()
        _ = try actions.train()
        try actions.deploy(explorationWeight: "0.5")
        let last = try (0..<60).map { _ in try actions.propose("u1", count: 2).last?.actionID }
        // 60 draws of a half: 12 to 48 with all but one chance in a million.
        #expect((12...48).contains(last.count { $0 == "new" }))
    }

    @Test func `items and actions have campaigns of their own`() throws {
        let actions = try ActionShop()
        try actions.importAll()
        _ = try actions.train()
        try actions.deploy()
        let environment = actions.environment
        _ = try environment.createSolution(
            CreateSolutionInput(
                name: "popular", datasetGroupARN: actions.arn(.datasetGroup, "shop"),
                recipeARN: actions.arn(.recipe, "aws-popularity-count")),
            by: .system)
        _ = try environment.createSolutionVersion(CreateSolutionVersionInput(solutionARN: actions.arn(.solution, "popular")), by: .system)
        actions.shop.runJobs()
        _ = try environment.createCampaign(
            CreateCampaignInput(name: "popular", solutionVersionARN: actions.arn(.solution, "popular/$LATEST")), by: .system)
        #expect(
            throws: OperationError.invalidInput(
                "The campaign's recipe aws-next-best-action proposes actions. Use GetActionRecommendations.", field: "campaignArn")
        ) { try actions.service.recommend(RecommendationRequest(target: .campaign(name: "next")), by: .system) }
        #expect(
            throws: OperationError.invalidInput(
                "The campaign's recipe aws-popularity-count proposes no actions. Use GetRecommendations.", field: "campaignArn")
        ) { try actions.service.proposeActions(ActionRequest(campaign: "popular", userID: "u"), by: .system) }
        #expect(throws: OperationError.self) {
            try actions.service.proposeActions(ActionRequest(campaign: "next", userID: "u", count: 101), by: .system)
        }
        #expect(
            throws: OperationError.invalidInput("A campaign that proposes actions puts no items in order.", field: "options")
        ) { try environment.updateCampaignOptions(arn: actions.arn(.campaign, "next"), .none, by: .system) }
        let path = try environment.describeCampaign(arn: actions.arn(.campaign, "next"), by: .system).versionPath
        let segments = CreateBatchSegmentJobInput(
            jobName: "s", solutionVersionARN: actions.arn(.solution, path),
            userCount: 5, input: ["s3DataSource": ["path": "s3://some-bucket/in.json"]],
            output: ["s3DataDestination": ["path": "s3://some-bucket/out/"]],
            roleARN: "arn:aws:iam::123456789012:role/r")
        #expect(
            throws: OperationError.invalidInput(
                "The recipe aws-next-best-action makes no segments of users.", field: "solutionVersionArn")
        ) { try environment.createBatchSegmentJob(segments, by: .system) }
    }

    @Test func `automatic training waits for new responses too`() throws {
        let actions = try ActionShop()
        try actions.importAll()
        _ = try actions.train()
        func count() throws -> Int64 { try actions.shop.count("SELECT count(*) FROM solution_version") }
        func look() throws {
            try actions.environment.transact { connection in
                guard let solution = try SolutionQueries.find(name: "next", connection) else { return }
                try actions.environment.trainIfNew(solution, connection)
            }
        }
        try look()
        #expect(try count() == 1)
        try actions.put("u1", "a1", "Viewed")
        try look()
        #expect(try count() == 2)
    }
}
