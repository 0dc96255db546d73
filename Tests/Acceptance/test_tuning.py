"""Searches, updates, objectives and imported vectors, from unmodified boto3 through nginx to a campaign's answer."""

import json
import random
import time
import uuid

import pytest

GROUP = "tuning-" + uuid.uuid4().hex[:8]
INTERACTIONS = json.dumps({
    "type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
    "fields": [{"name": name, "type": kind} for name, kind in
               [("USER_ID", "string"), ("ITEM_ID", "string"), ("EVENT_TYPE", "string"), ("TIMESTAMP", "long")]]})
ITEMS = json.dumps({
    "type": "record", "name": "Items", "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
    "fields": [{"name": "ITEM_ID", "type": "string"}, {"name": "GENRE", "type": "string", "categorical": True},
               {"name": "PRICE", "type": "float"}]})
USER_PERSONALIZATION = "arn:aws:personalize:::recipe/aws-user-personalization"


def price(item):
    return 10 + item * 37 % 90


@pytest.fixture(scope="module")
def personalize(product):
    return product.aws("personalize", "eu-central-1")


@pytest.fixture(scope="module")
def group(product, personalize, tmp_path_factory):
    """Users of four tastes over 80 items, imported at the command line."""
    arn = personalize.create_dataset_group(name=GROUP)["datasetGroupArn"]
    for kind, schema in [("Interactions", INTERACTIONS), ("Items", ITEMS)]:
        schema_arn = personalize.create_schema(name=f"{GROUP}-{kind}", schema=schema)["schemaArn"]
        personalize.create_dataset(name=f"{GROUP}-{kind}", schemaArn=schema_arn, datasetGroupArn=arn, datasetType=kind)
    folder = tmp_path_factory.mktemp("data")
    chance = random.Random(5)
    with open(folder / "interactions.csv", "w") as file:
        file.write("USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n")
        for step in range(16):
            for user in range(160):
                item = chance.randrange(20) * 4 + (user % 4 if chance.random() < 0.9 else chance.randrange(4))
                file.write(f"u{user},i{item},view,{1_700_000_000 + step * 10_000 + user}\n")
    with open(folder / "items.csv", "w") as file:
        file.write("ITEM_ID,GENRE,PRICE\n")
        for item in range(80):
            file.write(f"i{item},g{item % 4},{price(item)}\n")
    product.run("import", "--group", GROUP, "--yes", str(folder / "interactions.csv"), str(folder / "items.csv"), check=True)
    return arn


def recommend(product, campaign, user, count):
    """Ids for a user, from an answer that was not degraded: on a busy machine the first read of a history may be late."""
    runtime = product.aws("personalize-runtime", "eu-central-1")
    deadline = time.monotonic() + 20
    while True:
        answer = runtime.get_recommendations(campaignArn=campaign, userId=user, numResults=count)
        if "x-tastemaker-degraded" not in answer["ResponseMetadata"]["HTTPHeaders"]:
            return [item["itemId"] for item in answer["itemList"]]
        assert time.monotonic() < deadline, "every answer was degraded"
        time.sleep(0.1)


def solve(personalize, group, name, **more):
    return personalize.create_solution(
        name=f"{GROUP}-{name}", datasetGroupArn=group, performAutoTraining=False, **more)["solutionArn"]


def train(personalize, solution, **more):
    arn = personalize.create_solution_version(solutionArn=solution, **more)["solutionVersionArn"]
    deadline = time.monotonic() + 120
    while True:
        version = personalize.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]
        if version["status"] == "ACTIVE":
            return version
        assert version["status"].startswith("CREATE ") and version["status"] != "CREATE FAILED", version.get("failureReason")
        assert time.monotonic() < deadline, version["status"]
        time.sleep(0.2)


def test_a_search_reports_its_winner_within_the_ranges(personalize, group):
    config = {"hpoConfig": {
        "hpoObjective": {"type": "max", "metricName": "anything", "metricRegex": "x"},
        "hpoResourceConfig": {"maxNumberOfTrainingJobs": "3", "maxParallelTrainingJobs": "2"},
        "algorithmHyperParameterRanges": {
            "integerHyperParameterRanges": [{"name": "training.hidden_dimension", "minValue": 32, "maxValue": 48}],
            "continuousHyperParameterRanges": [],
            "categoricalHyperParameterRanges": [{"name": "data.recency_mask", "values": ["true", "false"]}]}}}
    solution = solve(personalize, group, "hpo", recipeArn=USER_PERSONALIZATION, performHPO=True, solutionConfig=config)
    version = train(personalize, solution)
    tuned = version["tunedHPOParams"]["algorithmHyperParameters"]
    assert set(tuned) == {"hidden_dimension", "recency_mask"}
    assert 32 <= int(tuned["hidden_dimension"]) <= 48 and tuned["recency_mask"] in ("true", "false")
    assert version["performHPO"] and version["solutionConfig"] == config and version["trainingMode"] == "FULL"
    with pytest.raises(personalize.exceptions.InvalidInputException, match="hidden_dimension"):
        solve(personalize, group, "bad", recipeArn=USER_PERSONALIZATION, performHPO=True, solutionConfig={"hpoConfig": {
            "algorithmHyperParameterRanges": {
                "integerHyperParameterRanges": [{"name": "hidden_dimension", "minValue": 1, "maxValue": 48}],
                "continuousHyperParameterRanges": [], "categoricalHyperParameterRanges": []}}})


def test_an_update_brings_a_new_item_to_those_it_suits(product, personalize, group):
    solution = solve(personalize, group, "update", recipeArn=USER_PERSONALIZATION)
    with pytest.raises(personalize.exceptions.InvalidInputException, match="FULL"):
        personalize.create_solution_version(solutionArn=solution, trainingMode="UPDATE")
    full = train(personalize, solution)
    assert "tunedHPOParams" not in full
    tracker = personalize.create_event_tracker(name=f"{GROUP}-t", datasetGroupArn=group)
    events = product.aws("personalize-events", "eu-central-1")
    for user in range(0, 160, 4):
        events.put_events(
            trackingId=tracker["trackingId"], userId=f"u{user}", sessionId=f"s{user}",
            eventList=[{"eventType": "view", "itemId": "novel", "sentAt": 1_700_200_000}])
    update = train(personalize, solution, trainingMode="UPDATE")
    assert update["trainingMode"] == "UPDATE" and update["solutionVersionArn"] != full["solutionVersionArn"]
    metrics = [personalize.get_solution_metrics(solutionVersionArn=version["solutionVersionArn"])["metrics"] for version in (full, update)]
    assert metrics[0] == metrics[1]
    campaign = personalize.create_campaign(name=f"{GROUP}-u", solutionVersionArn=update["solutionVersionArn"])["campaignArn"]

    def place(user):
        return recommend(product, campaign, user, 81).index("novel")

    # Both met something else last, and nobody of them the new item.
    for user, item in [("even", "i4"), ("odd", "i5")]:
        events.put_events(
            trackingId=tracker["trackingId"], userId=user, sessionId=user,
            eventList=[{"eventType": "view", "itemId": item, "sentAt": 1_700_300_000}])
    assert place("even") < place("odd")
    with pytest.raises(personalize.exceptions.InvalidInputException, match="AUTOTRAIN"):
        personalize.create_solution_version(solutionArn=solution, trainingMode="AUTOTRAIN")


def test_an_objective_lifts_what_it_is_asked_to_lift(product, personalize, group):
    def mean_price(level):
        config = {"optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": level}}
        solution = solve(personalize, group, "price-" + level.lower(), recipeArn=USER_PERSONALIZATION, solutionConfig=config)
        version = train(personalize, solution)
        assert version["solutionConfig"] == config
        metrics = personalize.get_solution_metrics(solutionVersionArn=version["solutionVersionArn"])["metrics"]
        assert ("average_rewards_at_k" in metrics) == (level != "OFF")
        campaign = personalize.create_campaign(
            name=f"{GROUP}-{level.lower()}", solutionVersionArn=version["solutionVersionArn"])["campaignArn"]
        items = [item for user in range(8) for item in recommend(product, campaign, f"u{user}", 5)]
        prices = [price(int(item[1:])) for item in items if item != "novel"]
        return sum(prices) / len(prices)

    assert mean_price("HIGH") > mean_price("OFF")
    with pytest.raises(personalize.exceptions.InvalidInputException, match="not numeric"):
        solve(personalize, group, "genre", recipeArn=USER_PERSONALIZATION, solutionConfig={
            "optimizationObjective": {"itemAttribute": "GENRE", "objectiveSensitivity": "LOW"}})
    with pytest.raises(personalize.exceptions.InvalidInputException, match="aws-sims"):
        solve(personalize, group, "sims", recipeArn="arn:aws:personalize:::recipe/aws-sims", solutionConfig={
            "optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": "LOW"}})


def test_a_recipe_left_to_the_service_is_told_after_the_first_training(personalize, group):
    solution = solve(personalize, group, "auto", performAutoML=True)
    assert "autoMLResult" not in personalize.describe_solution(solutionArn=solution)["solution"]
    version = train(personalize, solution)
    best = personalize.describe_solution(solutionArn=solution)["solution"]["autoMLResult"]["bestRecipeArn"]
    assert best.startswith(USER_PERSONALIZATION) and version["performAutoML"]


def test_imported_vectors_answer_a_campaign(product, personalize, group, tmp_path):
    items, users = tmp_path / "items.csv", tmp_path / "users.jsonl"
    items.write_text("id,a,b\n" + "".join(f"i{item},{item},{80 - item}\n" for item in range(80)))
    users.write_text('{"id":"ann","vector":[1,0]}\n{"id":"bob","vector":[0,1]}\n')
    done = product.run(
        "model", "import", "--solution", f"{GROUP}-v", "--group", GROUP, "--items", str(items), "--users", str(users), check=True)
    assert "80 items and 2 users of 2 dimensions" in done.stdout
    solution = personalize.describe_solution(solutionArn=group.replace("dataset-group/" + GROUP, f"solution/{GROUP}-v"))["solution"]
    assert solution["recipeArn"] == "arn:aws:personalize:::recipe/tastemaker-vectors" and not solution["performAutoTraining"]
    campaign = personalize.create_campaign(
        name=f"{GROUP}-v", solutionVersionArn=solution["latestSolutionVersion"]["solutionVersionArn"])["campaignArn"]
    for user, expected in [("ann", ["i79", "i78", "i77"]), ("bob", ["i0", "i1", "i2"])]:
        assert recommend(product, campaign, user, 3) == expected
    with pytest.raises(personalize.exceptions.InvalidInputException, match="imported"):
        personalize.create_solution_version(solutionArn=solution["solutionArn"])
