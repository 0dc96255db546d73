import JSON
import Postgres
import Support
import Testing

/// Answers of the control plane, whole, as recorded. The test clock stands at 1790000000.
struct ControlShapeTests {
    let client: SignedClient

    init() throws {
        client = try SignedClient()
        try client.makeShop()
    }

    private let dates = #""creationDateTime":1790000000.0,"lastUpdatedDateTime":1790000000.0"#
    private let p = "arn:aws:personalize:eu-west-1:123456789012:"

    @Test func `a dataset group`() throws {
        let group = #""name":"shop","datasetGroupArn":"\#(p)dataset-group/shop","status":"ACTIVE",\#(dates)"#
        #expect(
            try client.call("DescribeDatasetGroup", #"{"datasetGroupArn":"\#(p)dataset-group/shop"}"#).text
                == #"{"datasetGroup":{\#(group)}}"#)
        #expect(try client.call("ListDatasetGroups").text == #"{"datasetGroups":[{\#(group)}]}"#)
    }

    @Test func `a schema`() throws {
        let head = #""name":"interactions","schemaArn":"\#(p)schema/interactions",\#(dates)"#
        #expect(
            try client.call("DescribeSchema", #"{"schemaArn":"\#(p)schema/interactions"}"#).text
                == #"{"schema":{\#(head),"schema":"\#(SignedClient.interactions)"}}"#)
        #expect(try client.call("ListSchemas").text == #"{"schemas":[{\#(head)}]}"#)
    }

    @Test func `a dataset before and after an update`() throws {
        let head =
            #""name":"events","datasetArn":"\#(p)dataset/shop/INTERACTIONS","datasetType":"INTERACTIONS","status":"ACTIVE",\#(dates)"#
        let rest = #""datasetGroupArn":"\#(p)dataset-group/shop","schemaArn":"\#(p)schema/"#
        let describe = { try client.call("DescribeDataset", #"{"datasetArn":"\#(p)dataset/shop/INTERACTIONS"}"#).text }
        #expect(try describe() == #"{"dataset":{\#(head),\#(rest)interactions"}}"#)
        #expect(try client.call("ListDatasets").text == #"{"datasets":[{\#(head)}]}"#)
        let wider = SignedClient.interactions.replacing("]}", with: #",{\"name\":\"DEVICE\",\"type\":\"string\"}]}"#)
        _ = try client.call("CreateSchema", #"{"name":"wider","schema":"\#(wider)"}"#)
        let updated = try client.call("UpdateDataset", #"{"datasetArn":"\#(p)dataset/shop/INTERACTIONS","schemaArn":"\#(p)schema/wider"}"#)
        #expect(updated.text == #"{"datasetArn":"\#(p)dataset/shop/INTERACTIONS"}"#)
        #expect(
            try describe()
                == #"{"dataset":{\#(head),\#(rest)wider","latestDatasetUpdate":{"schemaArn":"\#(p)schema/wider","status":"ACTIVE",\#(dates)}}}"#
        )
    }

    @Test func `an import job`() throws {
        let created = try client.call(
            "CreateDatasetImportJob",
            #"{"jobName":"j","datasetArn":"\#(p)dataset/shop/INTERACTIONS","dataSource":{"dataLocation":"s3://b/f.csv"},"roleArn":"arn:aws:iam::123456789012:role/r"}"#
        )
        #expect(created.text == #"{"datasetImportJobArn":"\#(p)dataset-import-job/j"}"#)
        let head =
            #""jobName":"j","datasetImportJobArn":"\#(p)dataset-import-job/j","status":"CREATE PENDING",\#(dates),"importMode":"FULL""#
        #expect(
            try client.call("DescribeDatasetImportJob", #"{"datasetImportJobArn":"\#(p)dataset-import-job/j"}"#).text
                == #"{"datasetImportJob":{\#(head),"datasetArn":"\#(p)dataset/shop/INTERACTIONS","dataSource":{"dataLocation":"s3://b/f.csv"},"roleArn":"arn:aws:iam::123456789012:role/r"}}"#
        )
        #expect(try client.call("ListDatasetImportJobs").text == #"{"datasetImportJobs":[{\#(head)}]}"#)
    }

    @Test func `an event tracker`() throws {
        let created = try client.call("CreateEventTracker", #"{"name":"web","datasetGroupArn":"\#(p)dataset-group/shop"}"#).json
        let arn = created["eventTrackerArn"]?.stringValue ?? ""
        #expect(arn.hasPrefix(p + "event-tracker/") && arn.utf8.count == p.utf8.count + 22)
        let head = #""name":"web","eventTrackerArn":"\#(arn)","status":"ACTIVE",\#(dates)"#
        #expect(
            try client.call("DescribeEventTracker", #"{"eventTrackerArn":"\#(arn)"}"#).text
                == #"{"eventTracker":{\#(head),"accountId":"123456789012","trackingId":"\#(created["trackingId"]?.stringValue ?? "")","datasetGroupArn":"\#(p)dataset-group/shop"}}"#
        )
        #expect(try client.call("ListEventTrackers").text == #"{"eventTrackers":[{\#(head)}]}"#)
        #expect(try client.call("DeleteEventTracker", #"{"eventTrackerArn":"\#(arn)"}"#).text == "{}")
    }

    @Test func `a filter, listed under a capital F`() throws {
        let body =
            #"{"name":"f","datasetGroupArn":"\#(p)dataset-group/shop","filterExpression":"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"*\")"}"#
        #expect(try client.call("CreateFilter", body).text == #"{"filterArn":"\#(p)filter/f"}"#)
        let head = #""name":"f","filterArn":"\#(p)filter/f","datasetGroupArn":"\#(p)dataset-group/shop","status":"ACTIVE",\#(dates)"#
        #expect(
            try client.call("DescribeFilter", #"{"filterArn":"\#(p)filter/f"}"#).text
                == #"{"filter":{\#(head),"filterExpression":"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"*\")"}}"#)
        #expect(try client.call("ListFilters").text == #"{"Filters":[{\#(head)}]}"#)
    }

    @Test func `a solution without configuration leaves out what is unset`() throws {
        let head =
            #""name":"sol","solutionArn":"\#(p)solution/sol","recipeArn":"arn:aws:personalize:::recipe/aws-user-personalization","status":"ACTIVE",\#(dates)"#
        #expect(
            try client.call("DescribeSolution", #"{"solutionArn":"\#(p)solution/sol"}"#).text
                == #"{"solution":{\#(head),"performHPO":false,"performAutoML":false,"performAutoTraining":true,"performIncrementalUpdate":false,"datasetGroupArn":"\#(p)dataset-group/shop"}}"#
        )
        #expect(try client.call("ListSolutions").text == #"{"solutions":[{\#(head)}]}"#)
    }

    @Test func `a solution that leaves its recipe to us says which once a training has chosen`() throws {
        _ = try client.call("CreateSolution", #"{"name":"auto","datasetGroupArn":"\#(p)dataset-group/shop","performAutoML":true}"#)
        let solution = try client.call("DescribeSolution", #"{"solutionArn":"\#(p)solution/auto"}"#).json["solution"]
        #expect(solution?["recipeArn"] == nil)
        #expect(solution?["autoMLResult"] == nil)
        try client.choose("aws-user-personalization-v2", for: "auto")
        let chosen = try client.call("DescribeSolution", #"{"solutionArn":"\#(p)solution/auto"}"#).json["solution"]
        #expect(chosen?["autoMLResult"]?["bestRecipeArn"] == "arn:aws:personalize:::recipe/aws-user-personalization-v2")
    }

    @Test func `a trained version and its metrics`() throws {
        let arn = try client.makeActiveVersion()
        let suffix = arn.suffix(8)
        let summary = #""solutionVersionArn":"\#(arn)","status":"ACTIVE",\#(dates),"trainingMode":"FULL","trainingType":"MANUAL""#
        #expect(
            try client.call("DescribeSolutionVersion", #"{"solutionVersionArn":"\#(arn)"}"#).text
                == #"{"solutionVersion":{"name":"sol/\#(suffix)",\#(summary),"solutionArn":"\#(p)solution/sol","performHPO":false,"performAutoML":false,"performIncrementalUpdate":false,"recipeArn":"arn:aws:personalize:::recipe/aws-user-personalization","datasetGroupArn":"\#(p)dataset-group/shop","solutionConfig":{},"trainingHours":0.012}}"#
        )
        #expect(
            try client.call("ListSolutionVersions", #"{"solutionArn":"\#(p)solution/sol"}"#).text
                == #"{"solutionVersions":[{\#(summary)}]}"#)
        #expect(
            try client.call("GetSolutionMetrics", #"{"solutionVersionArn":"\#(arn)"}"#).text
                == #"{"solutionVersionArn":"\#(arn)","metrics":{"coverage":0.1235}}"#)
        #expect(
            try client.call("DescribeSolution", #"{"solutionArn":"\#(p)solution/sol"}"#).json["solution"]?["latestSolutionVersion"]?[
                "solutionVersionArn"]?.stringValue == arn)
    }

    @Test func `a recommender before it is trained`() throws {
        _ = try client.call("CreateDatasetGroup", #"{"name":"video","domain":"VIDEO_ON_DEMAND"}"#)
        _ = try client.call("CreateSchema", #"{"name":"watches","domain":"VIDEO_ON_DEMAND","schema":"\#(SignedClient.interactions)"}"#)
        _ = try client.call(
            "CreateDataset",
            #"{"name":"w","schemaArn":"\#(p)schema/watches","datasetGroupArn":"\#(p)dataset-group/video","datasetType":"Interactions"}"#)
        let config = #"{"minRecommendationRequestsPerSecond":2,"enableMetadataWithRecommendations":true}"#
        let recipe = "arn:aws:personalize:::recipe/aws-vod-most-popular"
        let created = try client.call(
            "CreateRecommender",
            #"{"name":"r","datasetGroupArn":"\#(p)dataset-group/video","recipeArn":"\#(recipe)","recommenderConfig":\#(config)}"#)
        #expect(created.text == #"{"recommenderArn":"\#(p)recommender/r"}"#)
        let head =
            #""name":"r","recommenderArn":"\#(p)recommender/r","datasetGroupArn":"\#(p)dataset-group/video","recipeArn":"\#(recipe)","#
            + #""recommenderConfig":\#(config),"status":"CREATE PENDING",\#(dates)"#
        #expect(
            try client.call("DescribeRecommender", #"{"recommenderArn":"\#(p)recommender/r"}"#).text == #"{"recommender":{\#(head)}}"#)
        #expect(
            try client.call("ListRecommenders", #"{"datasetGroupArn":"\#(p)dataset-group/video"}"#).text
                == #"{"recommenders":[{\#(head)}]}"#)
    }

    @Test func `a campaign before and after an update`() throws {
        let version = try client.makeActiveVersion()
        let config = #"{"itemExplorationConfig":{"explorationWeight":"0.3"},"syncWithLatestSolutionVersion":true}"#
        let created = try client.call(
            "CreateCampaign", #"{"name":"c","solutionVersionArn":"\#(p)solution/sol/$LATEST","campaignConfig":\#(config)}"#)
        #expect(created.text == #"{"campaignArn":"\#(p)campaign/c"}"#)
        let head = #""name":"c","campaignArn":"\#(p)campaign/c","status":"ACTIVE",\#(dates)"#
        let use = { (tps: Int) in #""solutionVersionArn":"\#(version)","minProvisionedTPS":\#(tps),"campaignConfig":\#(config)"# }
        let describe = { try client.call("DescribeCampaign", #"{"campaignArn":"\#(p)campaign/c"}"#).text }
        #expect(try describe() == #"{"campaign":{\#(head),\#(use(1))}}"#)
        #expect(try client.call("ListCampaigns", #"{"solutionArn":"\#(p)solution/sol"}"#).text == #"{"campaigns":[{\#(head)}]}"#)
        _ = try client.call("UpdateCampaign", #"{"campaignArn":"\#(p)campaign/c","minProvisionedTPS":2}"#)
        #expect(try describe() == #"{"campaign":{\#(head),\#(use(2)),"latestCampaignUpdate":{\#(use(2)),"status":"ACTIVE",\#(dates)}}}"#)
        #expect(try client.call("DeleteCampaign", #"{"campaignArn":"\#(p)campaign/c"}"#).text == "{}")
    }

    @Test func `tags are given at creation, listed apart and never described`() throws {
        _ = try client.call("CreateDatasetGroup", #"{"name":"tagged","tags":[{"tagKey":"b","tagValue":"2"},{"tagKey":"a","tagValue":""}]}"#)
        let arn = #"{"resourceArn":"\#(p)dataset-group/tagged"}"#
        #expect(
            try client.call("ListTagsForResource", arn).text == #"{"tags":[{"tagKey":"a","tagValue":""},{"tagKey":"b","tagValue":"2"}]}"#)
        #expect(try client.call("UntagResource", #"{"resourceArn":"\#(p)dataset-group/tagged","tagKeys":["a"]}"#).text == "{}")
        #expect(!(try client.call("DescribeDatasetGroup", #"{"datasetGroupArn":"\#(p)dataset-group/tagged"}"#).text.contains("tag\"")))
    }

    @Test func `a recipe, its algorithm and its featurization`() throws {
        let dates = #""creationDateTime":1704067200.0,"lastUpdatedDateTime":1704067200.0"#
        #expect(
            try client.call("DescribeRecipe", #"{"recipeArn":"arn:aws:personalize:::recipe/aws-sims"}"#).text
                == #"{"recipe":{"name":"aws-sims","recipeArn":"arn:aws:personalize:::recipe/aws-sims","status":"ACTIVE",\#(dates),"algorithmArn":"arn:aws:personalize:::algorithm/aws-sims","featureTransformationArn":"arn:aws:personalize:::feature-transformation/aws-sims","description":"Recommends items that the same users interacted with.","recipeType":"RELATED_ITEMS"}}"#
        )
        #expect(
            try client.call("DescribeAlgorithm", #"{"algorithmArn":"arn:aws:personalize:::algorithm/aws-sims"}"#).text
                == #"{"algorithm":{"name":"aws-sims","algorithmArn":"arn:aws:personalize:::algorithm/aws-sims","defaultHyperParameters":{"popularity_discount_factor":"0.5","min_cointeraction_count":"3"},"defaultHyperParameterRanges":{"integerHyperParameterRanges":[{"name":"min_cointeraction_count","minValue":0,"maxValue":10,"isTunable":true}],"continuousHyperParameterRanges":[{"name":"popularity_discount_factor","minValue":0.0,"maxValue":1.0,"isTunable":true}],"categoricalHyperParameterRanges":[]},\#(dates)}}"#
        )
        let transformation = try client.call(
            "DescribeFeatureTransformation", #"{"featureTransformationArn":"arn:aws:personalize:::feature-transformation/aws-sims"}"#
        ).json
        #expect(transformation["featureTransformation"]?["defaultParameters"]?["max_item_interaction_count_percentile"] == "0.9")
    }

    @Test func `a list ends without a token and pages with one`() throws {
        _ = try client.call("CreateDatasetGroup", #"{"name":"two"}"#)
        let first = try client.call("ListDatasetGroups", #"{"maxResults":1}"#).json
        let token = first["nextToken"]?.stringValue ?? ""
        #expect(!token.isEmpty && token.utf8.count <= 1500)
        let second = try client.call("ListDatasetGroups", #"{"maxResults":1,"nextToken":"\#(token)"}"#).json
        #expect(second["nextToken"] == nil)
        let names = [first, second].map { $0["datasetGroups"]?.arrayValue?.first?["name"]?.stringValue }
        #expect(names == ["two", "shop"])
    }
}
