"""A campaign's own options: set through /v1, seen in the answers of an AWS client, and refused with a reason."""

import collections
import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ParamValidationError

from signing import Caller, recommend


@pytest.fixture
def options(shop):
    """Reads and writes the options of the demo shop's campaign; leaves none behind."""
    key = shop.run("key", "create", "mixing", "--scope", "campaigns", check=True).stdout.strip()
    caller = Caller(shop)
    path = f"/v1/campaigns/{shop.campaign.split('/')[-1]}/options"

    def ask(method, body=None):
        return caller.send(method, path, json.dumps(body) if body is not None else None,
                           {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    yield ask
    ask("PUT", {})


def categories(shop, user):
    items = [item["itemId"] for item in json.loads(recommend(Caller(shop), shop, user).body)["itemList"]]
    assert len(items) == 10
    known = dict(line.split("|") for line in shop.sql(
        "SELECT k.external_id, r.attributes ->> 'CATEGORY' FROM tastemaker.item_record r "
        "JOIN tastemaker.item_key k ON k.dataset_group_id = r.dataset_group_id AND k.id = r.item_id"))
    return collections.Counter(known[item] for item in items)


def test_a_cap_holds_in_the_very_next_answer(shop, options):
    users = [f"visitor-{number}" for number in range(1, 30)]
    crowded = next(user for user in users if max(categories(shop, user).values()) > 3)
    stored = options("PUT", {"caps": [{"column": "category", "most": 3}]})
    assert stored.status == 200, stored.body
    assert json.loads(options("GET").body) == {"caps": [{"column": "CATEGORY", "most": 3}]}
    assert max(categories(shop, crowded).values()) <= 3
    assert json.loads(options("PUT", {}).body) == {}
    assert max(categories(shop, crowded).values()) > 3


@pytest.mark.parametrize("body, word", [
    ({"diversity": {"lambda": 2}}, "diversity.lambda"), ({"caps": [{"column": "NOPE", "most": 1}]}, "NOPE"),
    ({"value": {"column": "CATEGORY", "weight": 0.5}}, "number"), ({"variety": 1}, "variety"),
])
def test_what_cannot_be_is_refused_by_name(options, body, word):
    answer = options("PUT", body)
    assert answer.status == 400 and word in answer.body.decode(), answer.body


def test_a_key_of_another_scope_may_not(shop):
    answer = Caller(shop).send("GET", f"/v1/campaigns/{shop.campaign.split('/')[-1]}/options",
                               headers={"Authorization": f"Bearer {shop.bearer}"})
    assert answer.status == 403


def test_an_aws_client_keeps_such_members_to_itself(shop):
    """Why the options have a door of their own: the client's model of CampaignConfig knows no other member."""
    client = boto3.client(
        "personalize", endpoint_url=shop.url, region_name="us-east-1", aws_access_key_id=shop.value("Key id"),
        aws_secret_access_key=shop.value("Secret"), config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(ParamValidationError):
        client.update_campaign(campaignArn=shop.campaign, campaignConfig={"diversity": {"lambda": 0.5}})
    with pytest.raises(client.exceptions.InvalidInputException, match="diversity"):
        client.update_campaign(campaignArn=shop.campaign, campaignConfig={"itemExplorationConfig": {"diversity": "0.5"}})
