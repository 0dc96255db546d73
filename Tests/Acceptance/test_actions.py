"""Next best actions through the SDK: schemas, imports, training, campaign, answers that follow what users do, filters."""

import json
import random
import re
import time
import urllib.parse

import botocore.exceptions
import pytest
from signing import Caller, sign_in
from test_jobs import ended

ROLE = "arn:aws:iam::123456789012:role/r"
DAY = 86_400


def schema(name, fields):
    return json.dumps({"type": "record", "name": name, "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
                       "fields": [dict(zip(("name", "type", "categorical"), field)) for field in fields]})


SCHEMAS = {
    "Interactions": schema("Interactions", [("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long")]),
    "Actions": schema("Actions", [("ACTION_ID", "string"), ("KIND", "string", True), ("VALUE", ["null", "long"]),
                                  ("ACTION_EXPIRATION_TIMESTAMP", ["null", "long"]), ("REPEAT_FREQUENCY", ["null", "long"])]),
    "Action_Interactions": schema("ActionInteractions", [("USER_ID", "string"), ("ACTION_ID", "string"), ("EVENT_TYPE", "string"),
                                                         ("TIMESTAMP", "long")]),
}


def files(now):
    """150 users who take the action of their own third a quarter of the times that it is shown."""
    generator = random.Random(5)
    visits = [f"u{index % 150},i{index * 7 % 40},{now - 60 * DAY + index * 600}" for index in range(3000)]
    actions = ["enroll,app,,,", "upgrade,plan,5,,", "refer,app,,,10", f"closed,app,10,{now - 60},", "fresh,plan,9,,"]
    responses = []
    for day in range(70):
        for user in range(150):
            for third, action in enumerate(["enroll", "upgrade", "refer"]):
                if generator.random() < 1 / 7:
                    kind = "Taken" if generator.random() < (0.25 if user % 3 == third else 0.02) else generator.choice(["Viewed", "Not Taken"])
                    responses.append(f"u{user},{action},{kind},{now - (70 - day) * DAY + user * 60 + third}")
    return {"Interactions": ["USER_ID,ITEM_ID,TIMESTAMP"] + visits,
            "Actions": ["ACTION_ID,KIND,VALUE,ACTION_EXPIRATION_TIMESTAMP,REPEAT_FREQUENCY"] + actions,
            "Action_Interactions": ["USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP"] + responses}


@pytest.fixture(scope="module")
def client(bucketed):
    return bucketed.aws


@pytest.fixture(scope="module")
def group(client, bucket):
    """The three datasets, filled."""
    personalize = client("personalize")
    group = personalize.create_dataset_group(name="offers")["datasetGroupArn"]
    for kind, lines in files(int(time.time())).items():
        (bucket / f"{kind}.csv").write_text("\n".join(lines) + "\n")
        made = personalize.create_schema(name=f"offers-{kind}", schema=SCHEMAS[kind])["schemaArn"]
        dataset = personalize.create_dataset(name=kind, schemaArn=made, datasetGroupArn=group, datasetType=kind)["datasetArn"]
        job = personalize.create_dataset_import_job(jobName=f"offers-{kind}", datasetArn=dataset, roleArn=ROLE,
                                                    dataSource={"dataLocation": f"s3://data/{kind}.csv"})["datasetImportJobArn"]
        imported = ended(lambda: personalize.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"])
        assert imported["status"] == "ACTIVE", imported
    return group


@pytest.fixture(scope="module")
def campaign(client, group):
    personalize = client("personalize")
    solution = personalize.create_solution(name="offers", datasetGroupArn=group, performAutoTraining=False,
                                           recipeArn="arn:aws:personalize:::recipe/aws-next-best-action",
                                           solutionConfig={"featureTransformationParameters": {"action_optimization_period": "7"}})[
        "solutionArn"]
    version = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    trained = ended(lambda: personalize.describe_solution_version(solutionVersionArn=version)["solutionVersion"])
    assert trained["status"] == "ACTIVE", trained
    metrics = personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]
    assert set(metrics) == {"precision", "recall", "auc", "coverage"}
    assert metrics["auc"] > 0.65 and metrics["coverage"] == 0.6, metrics
    return personalize.create_campaign(name="offers", solutionVersionArn=version, campaignConfig={
        "itemExplorationConfig": {"explorationWeight": "0"}})["campaignArn"]


def proposed(client, campaign, user, **more):
    answer = client("personalize-runtime").get_action_recommendations(campaignArn=campaign, userId=user, **more)
    assert len(answer["recommendationId"]) == 40
    return {action["actionId"]: action["score"] for action in answer["actionList"]}


def respond(client, group, user, action, kind, ago=0):
    dataset = client("personalize").describe_dataset(datasetArn=group.replace("dataset-group/offers", "dataset/offers/ACTION_INTERACTIONS"))
    client("personalize-events").put_action_interactions(
        trackingId=dataset["dataset"]["trackingId"],
        actionInteractions=[{"actionId": action, "sessionId": f"of-{user}", "userId": user, "timestamp": time.time() - ago,
                             "eventType": kind}])


def test_users_are_proposed_what_they_are_likely_to_take(client, campaign):
    first = proposed(client, campaign, "u1")
    assert list(first)[0] == "upgrade" and list(first)[-1] == "fresh"
    assert "closed" not in first
    assert all(0 < first[name] < 1 for name in ("enroll", "upgrade", "refer")) and first["fresh"] == 0
    assert len(proposed(client, campaign, "u1", numResults=2)) == 2


def test_responses_change_the_answer_at_once(client, group, campaign):
    before = proposed(client, campaign, "newcomer")
    for hours in range(1, 5):
        respond(client, group, "newcomer", "enroll", "Taken", ago=hours * 3600)
    after = proposed(client, campaign, "newcomer")
    assert after["enroll"] > before["enroll"]
    respond(client, group, "newcomer", "refer", "TAKEN")
    assert "refer" not in proposed(client, campaign, "newcomer")


def test_actions_can_be_put_one_by_one(client, group, campaign):
    dataset = group.replace("dataset-group/offers", "dataset/offers/ACTIONS")
    put = lambda **properties: client("personalize-events").put_actions(
        datasetArn=dataset, actions=[{"actionId": "extra", "properties": json.dumps({"kind": "plan", "value": 1} | properties)}])
    put()
    assert proposed(client, campaign, "u5", numResults=100)["extra"] == 0
    put(actionExpirationTimestamp=int(time.time()) - 1)
    assert "extra" not in proposed(client, campaign, "u5", numResults=100)


def test_filters_choose_among_actions(client, group, campaign):
    personalize = client("personalize")
    declined = personalize.create_filter(name="declined", datasetGroupArn=group, filterExpression=(
        'EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("NOT_TAKEN")'))["filterArn"]
    kinds = personalize.create_filter(name="kinds", datasetGroupArn=group, filterExpression=(
        "INCLUDE ActionID WHERE Actions.KIND IN ($KIND)"))["filterArn"]
    assert "upgrade" in proposed(client, campaign, "undecided", filterArn=declined)
    respond(client, group, "undecided", "upgrade", "Not Taken")
    assert "upgrade" not in proposed(client, campaign, "undecided", filterArn=declined)
    assert set(proposed(client, campaign, "undecided", filterArn=kinds, filterValues={"KIND": '"plan"'})) == {"upgrade", "fresh"}
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidInputException"):
        personalize.create_filter(name="never", datasetGroupArn=group, filterExpression=(
            "INCLUDE ActionID WHERE Actions.REPEAT_FREQUENCY > 3"))


def test_other_operations_refuse_the_campaign(client, campaign):
    runtime = client("personalize-runtime")
    with pytest.raises(runtime.exceptions.InvalidInputException, match="Use GetActionRecommendations"):
        runtime.get_recommendations(campaignArn=campaign, userId="u1")


def test_the_console_shows_what_there_is(bucketed, client, campaign):
    caller = Caller(bucketed)
    cookies = {"Cookie": sign_in(caller, bucketed)}
    # The one-time password of the first start opens no page but this one.
    form = caller.send("GET", "/console/password", headers=cookies).body.decode()
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)) | {"password": "correct horse battery staple"}
    changed = caller.send("POST", "/console/password", urllib.parse.urlencode(fields), cookies | {
        "Content-Type": "application/x-www-form-urlencoded", "Origin": bucketed.url})
    assert changed.status == 303
    cookies = {"Cookie": "; ".join(line.split(";")[0] for line in changed.headers.get_all("Set-Cookie"))}
    version = client("personalize").describe_campaign(campaignArn=campaign)["campaign"]["solutionVersionArn"].split("/")[-1]
    for page, expected in [("data", "Action interactions"), ("solutions/offers", "aws-next-best-action"), ("new-solution", "aws-next-best-action"),
                           (f"solutions/offers/{version}", "Loss of the probabilities"), ("campaigns/offers", "aws-next-best-action"),
                           ("campaigns/offers?try=1&user=u1", "takes the action within 7 days"),
                           ("campaigns/offers?try=1&user=u1&count=0", "The number of actions is 1 to 100, not “0”."),
                           ("campaigns/offers?try=1&user=u1&count=many", "The number of actions is 1 to 100, not “many”."),
                           ("campaigns/offers?try=1&user=u1&filter=nosuch", "There is no filter of actions named “nosuch”."),
                           ("campaigns/offers?try=1&user=stranger", "No visitor is known as “stranger”"),
                           (f"campaigns/offers?try=1&user={'u' * 257}", "This has at most 256 characters.")]:
        answer = caller.send("GET", f"/console/groups/offers/{page}", headers=cookies)
        assert answer.status == 200, (page, answer.status, answer.headers.get("Location"))
        assert expected in answer.body.decode(), page
