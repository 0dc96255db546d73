"""Recommenders and the recipes of domains, driven by unmodified boto3 on planted events."""

import collections
import datetime
import json
import time
import uuid

import botocore.exceptions
import pytest
from running import wait_until

NAME = "domain-" + uuid.uuid4().hex[:6]
INTERACTIONS = json.dumps({
    "type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
    "fields": [{"name": name, "type": kind} for name, kind in
               [("USER_ID", "string"), ("ITEM_ID", "string"), ("EVENT_TYPE", "string"), ("TIMESTAMP", "long")]]})
ECOMMERCE = ["aws-ecomm-customers-who-viewed-x-also-viewed", "aws-ecomm-frequently-bought-together", "aws-ecomm-popular-items-by-purchases",
             "aws-ecomm-popular-items-by-views", "aws-ecomm-recommended-for-you"]
DAY = 86_400


@pytest.fixture(scope="module")
def personalize(product):
    return product.aws("personalize")


@pytest.fixture(scope="module")
def runtime(product):
    return product.aws("personalize-runtime")


def make_group(personalize, name, domain):
    group = personalize.create_dataset_group(name=name, domain=domain)["datasetGroupArn"]
    schema = personalize.create_schema(name=name, schema=INTERACTIONS, domain=domain)["schemaArn"]
    personalize.create_dataset(name=name, schemaArn=schema, datasetGroupArn=group, datasetType="Interactions")
    return group


def planted(now):
    """By user: 1,560 purchases in baskets, one in three of tent and stove, and 1,560 views, a quarter of them of the poster."""
    events = collections.defaultdict(list)
    for basket in range(780):
        user, moment = f"u{basket % 120}", now - 20 * DAY + basket * 1800
        pair = ["tent", "stove"] if basket % 3 == 0 else ["bestseller", f"extra{basket % 30}"]
        events[user] += [("Purchase", item, moment) for item in pair]
        views = ["poster", f"shelf{basket % 50}"] if basket % 2 else ["kettle", "teapot"] if basket % 4 else [f"shelf{basket % 50}", "tent"]
        # Views in lower case: types are compared without regard to it.
        events[user] += [("view", item, moment - 300 + index) for index, item in enumerate(views)]
    return events


def put(events, tracking, by_user):
    for user, entries in by_user.items():
        for start in range(0, len(entries), 10):
            events.put_events(trackingId=tracking, userId=user, sessionId="s-" + user, eventList=[
                {"eventType": kind, "itemId": item, "sentAt": moment} for kind, item, moment in entries[start:start + 10]])


@pytest.fixture(scope="module")
def shop(product, personalize):
    """A dataset group of the domain ECOMMERCE with the planted events; a function adds more."""
    group = make_group(personalize, NAME, "ECOMMERCE")
    tracking = personalize.create_event_tracker(name=NAME, datasetGroupArn=group)["trackingId"]
    events = product.aws("personalize-events")
    put(events, tracking, planted(int(time.time())))
    Shop = collections.namedtuple("Shop", "group add")
    return Shop(group, lambda by_user: put(events, tracking, by_user))


def settled(personalize, arn):
    def look():
        found = personalize.describe_recommender(recommenderArn=arn)["recommender"]
        return found if found["status"] in ("ACTIVE", "CREATE FAILED", "INACTIVE") else time.sleep(0.1)
    return wait_until(look, 120, "the recommender has settled")


def make(personalize, group, recipe, name=None, **more):
    name = f"{NAME}-{name or recipe[4:44]}"
    return personalize.create_recommender(
        name=name, datasetGroupArn=group, recipeArn=f"arn:aws:personalize:::recipe/{recipe}", **more)["recommenderArn"]


@pytest.fixture(scope="module")
def recommenders(personalize, shop):
    """One of each use case of the domain, trained."""
    arns = {recipe: make(personalize, shop.group, recipe) for recipe in ECOMMERCE}
    for recipe, arn in arns.items():
        found = settled(personalize, arn)
        assert found["status"] == "ACTIVE", (recipe, found.get("failureReason"))
    return arns


def ids(answer):
    return [item["itemId"] for item in answer["itemList"]]


def refused(body, code="InvalidInputException"):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        body()
    assert caught.value.response["Error"]["Code"] == code, caught.value
    return caught.value.response["Error"]["Message"]


def test_a_domain_lists_its_use_cases_alone(personalize):
    found = personalize.list_recipes(domain="ECOMMERCE")["recipes"]
    assert [recipe["name"] for recipe in found] == ECOMMERCE
    assert all(recipe["domain"] == "ECOMMERCE" for recipe in found)
    assert len(personalize.list_recipes(domain="VIDEO_ON_DEMAND")["recipes"]) == 5
    everything = personalize.list_recipes()["recipes"]
    assert {recipe["name"] for recipe in everything} > set(ECOMMERCE)
    assert all(("domain" in recipe) == recipe["name"].startswith(("aws-ecomm-", "aws-vod-")) for recipe in everything)


def test_legacy_recipes_say_what_serves_them(personalize):
    for name in ["aws-hrnn", "aws-hrnn-metadata", "aws-hrnn-coldstart"]:
        recipe = personalize.describe_recipe(recipeArn=f"arn:aws:personalize:::recipe/{name}")["recipe"]
        assert "aws-user-personalization" in recipe["description"] and recipe["recipeType"] == "USER_PERSONALIZATION"
    transformation = personalize.describe_feature_transformation(
        featureTransformationArn="arn:aws:personalize:::feature-transformation/aws-hrnn-coldstart")["featureTransformation"]
    assert transformation["defaultParameters"]["cold_start_relative_from"] == "latestItem"
    trending = personalize.describe_feature_transformation(
        featureTransformationArn="arn:aws:personalize:::feature-transformation/aws-trending-now")["featureTransformation"]
    assert trending["defaultParameters"] == {"trend_discovery_frequency": "3 hours"}


def test_most_viewed_and_best_sellers(runtime, recommenders):
    viewed = runtime.get_recommendations(recommenderArn=recommenders["aws-ecomm-popular-items-by-views"], userId="nobody", numResults=3)
    assert ids(viewed)[0] == "poster"
    assert len(viewed["recommendationId"]) == 40 and "score" not in viewed["itemList"][0]
    sold = runtime.get_recommendations(recommenderArn=recommenders["aws-ecomm-popular-items-by-purchases"], userId="nobody", numResults=3)
    assert ids(sold)[0] == "bestseller" and set(ids(sold)) == {"bestseller", "tent", "stove"}


def test_bought_together_is_what_shares_a_basket(runtime, recommenders):
    arn = recommenders["aws-ecomm-frequently-bought-together"]
    assert ids(runtime.get_recommendations(recommenderArn=arn, itemId="tent", numResults=5))[0] == "stove"
    assert ids(runtime.get_recommendations(recommenderArn=arn, itemId="stove", numResults=5))[0] == "tent"
    assert ids(runtime.get_recommendations(recommenderArn=arn, itemId="extra4", numResults=1)) == ["bestseller"]


def test_also_viewed_leaves_out_what_the_user_purchased(runtime, recommenders, shop):
    arn = recommenders["aws-ecomm-customers-who-viewed-x-also-viewed"]
    ask = lambda user: ids(runtime.get_recommendations(recommenderArn=arn, itemId="kettle", userId=user, numResults=10))
    assert ask("fresh")[0] == "teapot"
    shop.add({"fresh": [("PURCHASE", "teapot", int(time.time()))]})
    assert "teapot" not in ask("fresh")
    assert "itemId" in refused(lambda: runtime.get_recommendations(recommenderArn=arn, userId="fresh"))
    assert "userId" in refused(lambda: runtime.get_recommendations(recommenderArn=arn, itemId="kettle"))


def test_recommended_for_you_leaves_out_purchases_at_the_next_request(runtime, recommenders, shop):
    arn = recommenders["aws-ecomm-recommended-for-you"]
    before = runtime.get_recommendations(recommenderArn=arn, userId="u7", numResults=100)
    bought = {item for kind, item, _ in planted(0)["u7"] if kind == "Purchase"}
    assert bought and not bought & set(ids(before))
    first = ids(before)[0]
    shop.add({"u7": [("Purchase", first, int(time.time()))]})
    assert first not in ids(runtime.get_recommendations(recommenderArn=arn, userId="u7", numResults=100))


def test_a_recommenders_life(personalize, runtime, shop):
    config = {"minRecommendationRequestsPerSecond": 2, "itemExplorationConfig": {"explorationWeight": "0.1", "explorationItemAgeCutOff": "7"}}
    arn = personalize.create_recommender(
        name=f"{NAME}-life", datasetGroupArn=shop.group, recipeArn="arn:aws:personalize:::recipe/aws-ecomm-popular-items-by-views",
        recommenderConfig=config, tags=[{"tagKey": "team", "tagValue": "shop"}])["recommenderArn"]
    assert arn == shop.group.replace(f"dataset-group/{NAME}", f"recommender/{NAME}-life")
    refused(lambda: personalize.create_recommender(
        name=f"{NAME}-life", datasetGroupArn=shop.group, recipeArn="arn:aws:personalize:::recipe/aws-ecomm-popular-items-by-views"),
        "ResourceAlreadyExistsException")
    found = settled(personalize, arn)
    assert found["status"] == "ACTIVE" and found["recommenderConfig"] == config
    assert 0 < found["modelMetrics"]["coverage"] <= 1 and "latestRecommenderUpdate" not in found
    assert isinstance(found["creationDateTime"], datetime.datetime)
    assert arn in [entry["recommenderArn"] for entry in personalize.list_recommenders(datasetGroupArn=shop.group)["recommenders"]]
    assert personalize.list_tags_for_resource(resourceArn=arn)["tags"] == [{"tagKey": "team", "tagValue": "shop"}]
    # What does the work behind it is nobody else's business.
    assert not [entry for entry in personalize.list_solutions(datasetGroupArn=shop.group)["solutions"] if "life" in entry["name"]]
    assert not [entry for entry in personalize.list_campaigns()["campaigns"] if "life" in entry["name"]]
    for kind, ask in [("solution", lambda a: personalize.describe_solution(solutionArn=a)),
                      ("campaign", lambda a: personalize.describe_campaign(campaignArn=a)),
                      ("campaign", lambda a: runtime.get_recommendations(campaignArn=a, userId="u"))]:
        refused(lambda: ask(arn.replace("recommender/", f"{kind}/recommender/")), "ResourceNotFoundException")

    personalize.update_recommender(recommenderArn=arn, recommenderConfig={"minRecommendationRequestsPerSecond": 3})
    found = personalize.describe_recommender(recommenderArn=arn)["recommender"]
    assert found["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 3}
    assert found["latestRecommenderUpdate"]["status"] == "ACTIVE"
    wanted = {"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["EVENT_TYPE"]}}}
    personalize.update_recommender(recommenderArn=arn, recommenderConfig=wanted)
    found = personalize.describe_recommender(recommenderArn=arn)["recommender"]
    assert found["status"] == "ACTIVE" and found["latestRecommenderUpdate"]["recommenderConfig"] == wanted
    wait_until(lambda: personalize.describe_recommender(recommenderArn=arn)["recommender"]["recommenderConfig"] == wanted
               or time.sleep(0.1), 60, "the new training serves")

    refused(lambda: personalize.start_recommender(recommenderArn=arn), "ResourceInUseException")
    assert personalize.stop_recommender(recommenderArn=arn)["recommenderArn"] == arn
    assert settled(personalize, arn)["status"] == "INACTIVE"
    assert "INACTIVE" in refused(lambda: runtime.get_recommendations(recommenderArn=arn, userId="u"))
    refused(lambda: personalize.stop_recommender(recommenderArn=arn), "ResourceInUseException")
    personalize.start_recommender(recommenderArn=arn)
    assert settled(personalize, arn)["status"] == "ACTIVE"
    assert ids(runtime.get_recommendations(recommenderArn=arn, userId="u", numResults=1)) == ["poster"]

    assert "recommenders" in refused(lambda: personalize.delete_dataset_group(datasetGroupArn=shop.group), "ResourceInUseException")
    personalize.delete_recommender(recommenderArn=arn)
    refused(lambda: personalize.describe_recommender(recommenderArn=arn), "ResourceNotFoundException")
    refused(lambda: runtime.get_recommendations(recommenderArn=arn, userId="u"), "ResourceNotFoundException")


def test_too_few_events_are_said(personalize, runtime):
    group = make_group(personalize, NAME + "-video", "VIDEO_ON_DEMAND")
    arn = make(personalize, group, "aws-vod-most-popular")
    found = settled(personalize, arn)
    assert found["status"] == "CREATE FAILED" and "modelMetrics" not in found
    assert found["failureReason"] == (
        "Dataset has fewer than 1000 interactions after filtering by event type: the recipe aws-vod-most-popular learns from Watch "
        "events, of which there are 0.")
    assert "CREATE FAILED" in refused(lambda: runtime.get_recommendations(recommenderArn=arn, userId="u"))
    assert "ITEMS" in refused(lambda: make(personalize, group, "aws-vod-more-like-x"))
    personalize.delete_recommender(recommenderArn=arn)


@pytest.mark.parametrize("recipe, words", [("aws-user-personalization", "CreateSolution"), ("aws-vod-top-picks", "VIDEO_ON_DEMAND")])
def test_a_recommender_takes_a_recipe_of_its_domain(personalize, shop, recipe, words):
    assert words in refused(lambda: make(personalize, shop.group, recipe, "other"))


@pytest.mark.parametrize("config, field", [
    ({"itemExplorationConfig": {"explorationWeight": "2"}}, "recommenderConfig.itemExplorationConfig.explorationWeight"),
    ({"itemExplorationConfig": {"explorationItemAgeCutOff": "0"}}, "recommenderConfig.itemExplorationConfig.explorationItemAgeCutOff"),
    ({"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["NOPE"]}}}, "NOPE"),
    ({"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["ITEM_ID"]}}}, "ITEM_ID")])
def test_a_bad_configuration_is_named(personalize, shop, config, field):
    assert field in refused(lambda: make(personalize, shop.group, "aws-ecomm-recommended-for-you", "bad", recommenderConfig=config))


def test_a_domains_recipe_makes_no_solution(personalize, shop):
    assert "CreateRecommender" in refused(lambda: personalize.create_solution(
        name=f"{NAME}-s", datasetGroupArn=shop.group, recipeArn="arn:aws:personalize:::recipe/aws-ecomm-recommended-for-you"))


def test_a_trend_shows_without_training(personalize, runtime, shop):
    solution = personalize.create_solution(
        name=f"{NAME}-trend", datasetGroupArn=shop.group, recipeArn="arn:aws:personalize:::recipe/aws-trending-now",
        solutionConfig={"featureTransformationParameters": {"trend_discovery_frequency": "30 minutes"}}, performAutoTraining=False)
    # The hours before: so many users look at other things that a few dozen on one item are news.
    now = int(time.time())
    shop.add({f"u{user}": [("view", f"shelf{(user + step) % 50}", now - 2400 - 1500 * step - user) for step in range(5)] for user in range(80)})
    version = personalize.create_solution_version(solutionArn=solution["solutionArn"])["solutionVersionArn"]

    def trained():
        found = personalize.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
        assert "FAILED" not in found["status"], found
        return found["status"] == "ACTIVE" or time.sleep(0.1)
    wait_until(trained, 60, "the trend is trained")
    metrics = personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]
    assert 0 <= metrics["trend_prediction_accuracy"] <= 1
    campaign = personalize.create_campaign(name=f"{NAME}-trend", solutionVersionArn=version)["campaignArn"]
    ask = lambda: ids(runtime.get_recommendations(campaignArn=campaign, numResults=5))
    assert "comet" not in ask()
    shop.add({f"u{user}": [("view", "comet", int(time.time()))] for user in range(40)})
    wait_until(lambda: ask()[0] == "comet" or time.sleep(0.3), 40, "the new item leads")
    personalize.delete_campaign(campaignArn=campaign)
    personalize.delete_solution(solutionArn=solution["solutionArn"])
