"""A campaign's own options: set through /v1, seen in the answers of an AWS client, and refused with a reason."""

import collections
import json
import time
import types
import uuid

import pytest
from botocore.exceptions import ParamValidationError

from running import wait_until
from signing import Caller

NAME = "mixing-" + uuid.uuid4().hex[:6]
GENRES = ["crime", "travel", "poetry", "cooking"]


def schema(kind, *fields):
    return json.dumps({"type": "record", "name": kind, "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
                       "fields": [{"name": name, "type": form, **more} for name, form, more in fields]})


SCHEMAS = {
    "Interactions": schema("Interactions", ("USER_ID", "string", {}), ("ITEM_ID", "string", {}), ("EVENT_TYPE", "string", {}),
                           ("TIMESTAMP", "long", {})),
    "Items": schema("Items", ("ITEM_ID", "string", {}), ("GENRE", "string", {"categorical": True}), ("PRICE", "float", {})),
}


@pytest.fixture(scope="module")
def shop(product):
    """Forty books of four genres, readers who keep to one, and a campaign."""
    control, events, runtime = (product.aws(name) for name in ["personalize", "personalize-events", "personalize-runtime"])
    group = control.create_dataset_group(name=NAME)["datasetGroupArn"]
    for kind, text in SCHEMAS.items():
        made = control.create_schema(name=f"{NAME}-{kind}", schema=text)["schemaArn"]
        dataset = control.create_dataset(name=f"{NAME}-{kind}", schemaArn=made, datasetGroupArn=group, datasetType=kind)["datasetArn"]
    for first in range(0, 40, 10):
        events.put_items(datasetArn=dataset, items=[
            {"itemId": f"book-{i}", "properties": json.dumps({"genre": GENRES[i % 4], "price": 5.0 + i})} for i in range(first, first + 10)])
    tracking = control.create_event_tracker(name=NAME, datasetGroupArn=group)["trackingId"]
    begin = int(time.time()) - 5000
    for user in range(40):
        for step in range(0, 30, 10):
            events.put_events(trackingId=tracking, userId=f"reader-{user}", sessionId="s", eventList=[
                {"eventType": "View", "itemId": f"book-{(4 * (7 * user + 3 * n) + user) % 40}", "sentAt": begin + 100 * user + n}
                for n in range(step, step + 10)])
    solution = control.create_solution(name=NAME, datasetGroupArn=group, performAutoTraining=False,
                                       recipeArn="arn:aws:personalize:::recipe/aws-user-personalization")["solutionArn"]
    version = control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    wait_until(lambda: control.describe_solution_version(solutionVersionArn=version)["solutionVersion"]["status"] == "ACTIVE", 120,
               "the version is trained")
    campaign = control.create_campaign(name=NAME, solutionVersionArn=version, campaignConfig={
        "itemExplorationConfig": {"explorationWeight": "0"}})["campaignArn"]
    return types.SimpleNamespace(product=product, control=control, runtime=runtime, campaign=campaign, path=f"/v1/campaigns/{NAME}/options")


@pytest.fixture
def options(shop):
    """Reads and writes the campaign's options; leaves none behind."""
    key = shop.product.run("key", "create", "mixing", "--scope", "campaigns", check=True).stdout.strip()
    caller = Caller(shop.product)

    def ask(method, body=None):
        return caller.send(method, shop.path, json.dumps(body) if body is not None else None,
                           {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    yield ask
    ask("PUT", {})


def genres(shop):
    """How many of the ten items for a reader of crime are of each genre."""
    items = shop.runtime.get_recommendations(campaignArn=shop.campaign, userId="reader-0", numResults=10)["itemList"]
    assert len(items) == 10
    return collections.Counter(GENRES[int(item["itemId"].removeprefix("book-")) % 4] for item in items)


def test_a_cap_holds_in_the_very_next_answer(shop, options):
    assert max(genres(shop).values()) > 3
    stored = options("PUT", {"caps": [{"column": "genre", "most": 3}]})
    assert stored.status == 200, stored.body
    assert json.loads(options("GET").body) == {"caps": [{"column": "GENRE", "most": 3}]}
    assert max(genres(shop).values()) == 3
    assert json.loads(options("PUT", {}).body) == {}
    assert max(genres(shop).values()) > 3


@pytest.mark.parametrize("body, word", [
    ({"diversity": {"lambda": 2}}, "diversity.lambda"), ({"caps": [{"column": "NOPE", "most": 1}]}, "NOPE"),
    ({"value": {"column": "GENRE", "weight": 0.5}}, "number"), ({"variety": 1}, "variety"),
])
def test_what_cannot_be_is_refused_by_name(options, body, word):
    answer = options("PUT", body)
    assert answer.status == 400 and word in answer.body.decode(), answer.body


def test_a_key_of_another_scope_may_not(shop):
    key = shop.product.run("key", "create", "reading", "--scope", "recommend", check=True).stdout.strip()
    assert Caller(shop.product).send("GET", shop.path, headers={"Authorization": f"Bearer {key}"}).status == 403


def test_an_aws_client_keeps_such_members_to_itself(shop):
    """Why the options have a door of their own: the client's model of CampaignConfig knows no other member."""
    with pytest.raises(ParamValidationError):
        shop.control.update_campaign(campaignArn=shop.campaign, campaignConfig={"diversity": {"lambda": 0.5}})
    with pytest.raises(shop.control.exceptions.InvalidInputException, match="diversity"):
        shop.control.update_campaign(campaignArn=shop.campaign, campaignConfig={"itemExplorationConfig": {"diversity": "0.5"}})
