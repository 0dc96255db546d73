"""Items that nobody met are ranked and related by what describes them, through boto3."""

import random
import time
import uuid

import pytest
from running import wait_until
from test_control_plane import INTERACTIONS, ITEMS

GROUP = "content-" + uuid.uuid4().hex[:8]
ITEMS_OF_A_GENRE = 12


@pytest.fixture(scope="module")
def group(product):
    """Users of two genres, items of both, and one item of each genre that nobody met."""
    personalize = product.aws("personalize", "eu-central-1")
    arn = personalize.create_dataset_group(name=GROUP)["datasetGroupArn"]
    datasets = {}
    for kind, schema in [("Interactions", INTERACTIONS), ("Items", ITEMS)]:
        schema_arn = personalize.create_schema(name=f"{GROUP}-{kind}", schema=schema)["schemaArn"]
        datasets[kind] = personalize.create_dataset(
            name=f"{GROUP}-{kind}", schemaArn=schema_arn, datasetGroupArn=arn, datasetType=kind)["datasetArn"]
    tracker = personalize.create_event_tracker(name=f"{GROUP}-t", datasetGroupArn=arn)["trackingId"]
    events = product.aws("personalize-events", "eu-central-1")
    names = [f"{genre}-{number}" for genre in "ab" for number in [*range(ITEMS_OF_A_GENRE), "new"]]
    for start in range(0, len(names), 10):
        items = [{"itemId": name, "properties": '{"genre": "genre %s", "price": 5}' % name[0]} for name in names[start:start + 10]]
        events.put_items(datasetArn=datasets["Items"], items=items)
    chance = random.Random(7)
    moment = time.time() - 86400
    for user in range(120):
        genre = "ab"[user % 2]
        listed = [
            {"eventType": "view", "itemId": f"{genre}-{number}", "sentAt": moment + 60 * user + place}
            for place, number in enumerate(chance.sample(range(ITEMS_OF_A_GENRE), 9))]
        events.put_events(trackingId=tracker, userId=f"user-{user}", sessionId=f"session-{user}", eventList=listed)
    return arn


def campaign(product, group, recipe):
    personalize = product.aws("personalize", "eu-central-1")
    solution = personalize.create_solution(
        name=f"{GROUP}-{recipe}", datasetGroupArn=group, recipeArn=f"arn:aws:personalize:::recipe/{recipe}",
        performAutoTraining=False)["solutionArn"]
    version = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    look = lambda: personalize.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    wait_until(lambda: look()["status"] in ("ACTIVE", "CREATE FAILED"), 180, f"{recipe} is trained")
    assert look()["status"] == "ACTIVE", look().get("failureReason")
    return personalize.create_campaign(name=f"{GROUP}-{recipe}", solutionVersionArn=version)["campaignArn"]


def test_an_item_that_nobody_met_is_ranked_by_its_genre(product, group):
    arn = campaign(product, group, "aws-personalized-ranking-v2")
    runtime = product.aws("personalize-runtime", "eu-central-1")
    for user, order in [("user-0", ["a-new", "b-new"]), ("user-1", ["b-new", "a-new"])]:
        for inputs in (["a-new", "b-new"], ["b-new", "a-new"]):
            ranked = runtime.get_personalized_ranking(campaignArn=arn, userId=user, inputList=inputs)["personalizedRanking"]
            assert [entry["itemId"] for entry in ranked] == order


@pytest.mark.parametrize("recipe", ["aws-similar-items", "aws-semantic-similarity"])
def test_an_item_that_nobody_met_has_related_items(product, group, recipe):
    arn = campaign(product, group, recipe)
    runtime = product.aws("personalize-runtime", "eu-central-1")
    for genre in "ab":
        found = runtime.get_recommendations(campaignArn=arn, itemId=f"{genre}-new", numResults=5)["itemList"]
        assert len(found) == 5 and all(entry["itemId"].startswith(genre) for entry in found)
