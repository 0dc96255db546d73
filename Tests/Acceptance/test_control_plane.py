"""The AWS control plane, driven by unmodified boto3 and aws-cli through nginx."""

import datetime
import json
import os
import subprocess
import sys
import uuid

import boto3
import botocore.config
import botocore.exceptions
import pytest

GROUP = "control-" + uuid.uuid4().hex[:8]
INTERACTIONS = json.dumps({
    "type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
    "fields": [{"name": name, "type": kind} for name, kind in
               [("USER_ID", "string"), ("ITEM_ID", "string"), ("EVENT_TYPE", "string"), ("TIMESTAMP", "long")]]})
ITEMS = json.dumps({
    "type": "record", "name": "Items", "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
    "fields": [{"name": "ITEM_ID", "type": "string"}, {"name": "GENRE", "type": ["null", "string"], "categorical": True},
               {"name": "PRICE", "type": "float"}]})


def connect(product, **changes):
    settings = dict(
        endpoint_url=product.url, region_name="eu-central-1", aws_access_key_id=product.value("Key id"),
        aws_secret_access_key=product.value("Secret"))
    settings.update(changes)
    return boto3.client("personalize", config=botocore.config.Config(retries={"max_attempts": 0}), **settings)


@pytest.fixture(scope="module")
def personalize(product):
    return connect(product)


@pytest.fixture(scope="module")
def group(personalize):
    """A dataset group with Interactions and Items."""
    arn = personalize.create_dataset_group(name=GROUP, tags=[{"tagKey": "team", "tagValue": "shop"}])["datasetGroupArn"]
    for kind, schema in [("Interactions", INTERACTIONS), ("Items", ITEMS)]:
        schema_arn = personalize.create_schema(name=f"{GROUP}-{kind}", schema=schema)["schemaArn"]
        personalize.create_dataset(name=f"{GROUP}-{kind}", schemaArn=schema_arn, datasetGroupArn=arn, datasetType=kind)
    return arn


def code(body):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        body()
    return caught.value.response["Error"]["Code"]


def test_arns_follow_from_names_in_the_region_of_the_signature(personalize, group):
    account = group.split(":")[4]
    assert group == f"arn:aws:personalize:eu-central-1:{account}:dataset-group/{GROUP}"
    derived = f"arn:aws:personalize:eu-central-1:{account}:dataset/{GROUP}/INTERACTIONS"
    dataset = personalize.describe_dataset(datasetArn=derived)["dataset"]
    assert dataset["status"] == "ACTIVE"
    assert dataset["datasetType"] == "INTERACTIONS"
    assert isinstance(dataset["creationDateTime"], datetime.datetime)


def test_a_schema_is_given_back_as_it_was_given(personalize, group):
    arn = group.replace("dataset-group/" + GROUP, f"schema/{GROUP}-Items")
    assert personalize.describe_schema(schemaArn=arn)["schema"]["schema"] == ITEMS


def test_errors_are_the_typed_exceptions_of_the_sdk(personalize, group):
    with pytest.raises(personalize.exceptions.ResourceAlreadyExistsException):
        personalize.create_dataset_group(name=GROUP)
    with pytest.raises(personalize.exceptions.ResourceInUseException):
        personalize.delete_dataset_group(datasetGroupArn=group)
    with pytest.raises(personalize.exceptions.ResourceNotFoundException):
        personalize.describe_campaign(campaignArn=group.replace("dataset-group", "campaign"))
    with pytest.raises(personalize.exceptions.InvalidInputException, match="'name'"):
        personalize.create_dataset_group(name="not a name")
    with pytest.raises(personalize.exceptions.InvalidNextTokenException):
        personalize.list_schemas(nextToken="nonsense")


def test_a_filter_acts_on_the_columns_of_the_group(personalize, group):
    expression = 'INCLUDE ItemID WHERE Items.GENRE IN ($G) | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Purchase")'
    arn = personalize.create_filter(name=f"{GROUP}-f", datasetGroupArn=group, filterExpression=expression)["filterArn"]
    found = personalize.describe_filter(filterArn=arn)["filter"]
    assert (found["status"], found["filterExpression"]) == ("ACTIVE", expression)
    assert [entry["filterArn"] for entry in personalize.list_filters(datasetGroupArn=group)["Filters"]] == [arn]
    with pytest.raises(personalize.exceptions.InvalidInputException, match="^.*Could not create filter."):
        personalize.create_filter(name=f"{GROUP}-g", datasetGroupArn=group, filterExpression='INCLUDE ItemID WHERE Items.NOPE IN ("a")')
    personalize.delete_filter(filterArn=arn)
    assert code(lambda: personalize.describe_filter(filterArn=arn)) == "ResourceNotFoundException"


def test_a_tracker_has_a_public_id(personalize, group):
    made = personalize.create_event_tracker(name=f"{GROUP}-t", datasetGroupArn=group)
    found = personalize.describe_event_tracker(eventTrackerArn=made["eventTrackerArn"])["eventTracker"]
    assert uuid.UUID(found["trackingId"]) and found["trackingId"] == made["trackingId"]
    assert code(lambda: personalize.create_event_tracker(name=f"{GROUP}-u", datasetGroupArn=group)) == "ResourceAlreadyExistsException"
    personalize.delete_event_tracker(eventTrackerArn=made["eventTrackerArn"])
    assert personalize.list_event_trackers(datasetGroupArn=group)["eventTrackers"] == []


def test_a_solution_echoes_its_configuration_and_a_version_is_described_at_once(personalize, group):
    config = {"algorithmHyperParameters": {"hidden_dimension": "64"}, "autoTrainingConfig": {"schedulingExpression": "rate(2 days)"}}
    arn = personalize.create_solution(
        name=f"{GROUP}-s", datasetGroupArn=group, recipeArn="arn:aws:personalize:::recipe/aws-user-personalization", solutionConfig=config,
        performAutoTraining=False)["solutionArn"]
    found = personalize.describe_solution(solutionArn=arn)["solution"]
    assert found["solutionConfig"] == config
    assert "latestSolutionVersion" not in found and "eventType" not in found
    version = personalize.create_solution_version(solutionArn=arn)["solutionVersionArn"]
    assert version.startswith(arn + "/") and len(version) == len(arn) + 9
    described = personalize.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    assert described["status"].startswith("CREATE ")
    assert personalize.describe_solution(solutionArn=arn)["solution"]["latestSolutionVersion"]["solutionVersionArn"] == version
    # There is nothing to learn from, so whatever the worker made of it by now, it is not ACTIVE.
    assert code(lambda: personalize.create_campaign(name=f"{GROUP}-c", solutionVersionArn=version)) == "ResourceInUseException"
    assert code(lambda: personalize.get_solution_metrics(solutionVersionArn=version)) == "ResourceInUseException"


def test_tags_are_read_only_by_their_own_operation(personalize, group):
    assert personalize.list_tags_for_resource(resourceArn=group)["tags"] == [{"tagKey": "team", "tagValue": "shop"}]
    personalize.tag_resource(resourceArn=group, tags=[{"tagKey": "stage", "tagValue": ""}])
    personalize.untag_resource(resourceArn=group, tagKeys=["team"])
    assert personalize.list_tags_for_resource(resourceArn=group)["tags"] == [{"tagKey": "stage", "tagValue": ""}]
    assert "tags" not in personalize.describe_dataset_group(datasetGroupArn=group)["datasetGroup"]


def test_an_import_job_is_stored_and_described(personalize, group):
    dataset = group.replace("dataset-group/" + GROUP, f"dataset/{GROUP}/INTERACTIONS")
    arn = personalize.create_dataset_import_job(
        jobName=f"{GROUP}-i", datasetArn=dataset, dataSource={"dataLocation": "s3://no-such-bucket/interactions.csv"},
        roleArn="arn:aws:iam::123456789012:role/import")["datasetImportJobArn"]
    job = personalize.describe_dataset_import_job(datasetImportJobArn=arn)["datasetImportJob"]
    assert job["dataSource"] == {"dataLocation": "s3://no-such-bucket/interactions.csv"}
    assert job["importMode"] == "FULL"
    assert [entry["jobName"] for entry in personalize.list_dataset_import_jobs(datasetArn=dataset)["datasetImportJobs"]] == [f"{GROUP}-i"]


def test_paginators_see_every_resource_once(personalize):
    names = {f"{GROUP}-page-{index}" for index in range(7)}
    for name in names:
        personalize.create_schema(name=name, schema=INTERACTIONS)
    seen = [schema["name"] for page in personalize.get_paginator("list_schemas").paginate(PaginationConfig={"PageSize": 2})
            for schema in page["schemas"]]
    assert len(seen) == len(set(seen)) and names <= set(seen)
    for name in names:
        arn = next(schema["schemaArn"] for page in personalize.get_paginator("list_schemas").paginate() for schema in page["schemas"]
                   if schema["name"] == name)
        personalize.delete_schema(schemaArn=arn)


def test_recipes_can_be_looked_up_down_to_their_defaults(personalize):
    recipes = [recipe["name"] for recipe in personalize.list_recipes()["recipes"]]
    assert {"aws-user-personalization", "aws-user-personalization-v2", "aws-personalized-ranking", "aws-sims", "aws-popularity-count"} <= set(recipes)
    for name in recipes:
        recipe = personalize.describe_recipe(recipeArn=f"arn:aws:personalize:::recipe/{name}")["recipe"]
        assert personalize.describe_algorithm(algorithmArn=recipe["algorithmArn"])["algorithm"]["defaultHyperParameterRanges"]
        assert personalize.describe_feature_transformation(
            featureTransformationArn=recipe["featureTransformationArn"])["featureTransformation"]["status"] == "ACTIVE"


@pytest.mark.parametrize("suffix", ["", "/", "/aws", "/aws/"])
def test_an_endpoint_url_may_carry_a_path(product, suffix):
    assert "recipes" in connect(product, endpoint_url=product.url + suffix).list_recipes(maxResults=1)


def test_a_session_token_is_carried_and_ignored(product):
    assert "recipes" in connect(product, aws_session_token="temporary").list_recipes(maxResults=1)


def test_credentials_are_checked(product):
    assert code(connect(product, aws_secret_access_key="wrong").list_recipes) == "InvalidSignatureException"
    assert code(connect(product, aws_access_key_id="TMAKNOBODY").list_recipes) == "UnrecognizedClientException"


def test_what_is_not_served_says_so(personalize):
    role = "arn:aws:iam::123456789012:role/x"
    place = {"s3DataSource": {"path": "s3://b/i"}}
    arn = "arn:aws:personalize:us-east-1:1:solution/s/00000000"
    assert code(lambda: personalize.create_batch_inference_job(
        jobName="b", solutionVersionArn=arn, jobInput=place, jobOutput={"s3DataDestination": {"path": "s3://b/o"}}, roleArn=role)
    ) == "UnknownOperationException"
    assert code(personalize.list_metric_attributions) == "UnknownOperationException"


def test_every_answer_has_a_request_id(personalize):
    assert uuid.UUID(personalize.list_recipes(maxResults=1)["ResponseMetadata"]["RequestId"])


def test_the_command_line_client_works(product, group):
    def aws(*arguments):
        environment = dict(
            os.environ, AWS_ACCESS_KEY_ID=product.value("Key id"), AWS_SECRET_ACCESS_KEY=product.value("Secret"),
            AWS_DEFAULT_REGION="eu-central-1", AWS_MAX_ATTEMPTS="1", AWS_PAGER="",
            AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null")
        service = "personalize-runtime" if arguments[0].startswith("get-") else "personalize"
        command = [sys.executable, "-m", "awscli", service, *arguments, "--endpoint-url", product.url, "--output", "json"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    described = aws("describe-dataset-group", "--dataset-group-arn", group)
    assert described.returncode == 0, described.stderr
    assert json.loads(described.stdout)["datasetGroup"]["status"] == "ACTIVE"
    made = aws("create-schema", "--name", f"{GROUP}-cli", "--schema", INTERACTIONS)
    assert made.returncode == 0, made.stderr
    arn = json.loads(made.stdout)["schemaArn"]
    refused = aws("create-schema", "--name", f"{GROUP}-cli", "--schema", INTERACTIONS)
    assert refused.returncode != 0 and "ResourceAlreadyExistsException" in refused.stderr
    assert aws("delete-schema", "--schema-arn", arn).returncode == 0
    missing = aws("get-recommendations", "--campaign-arn", group.replace("dataset-group", "campaign"), "--user-id", "u", "--num-results", "3")
    assert missing.returncode != 0 and "ResourceNotFoundException" in missing.stderr, missing.stderr
