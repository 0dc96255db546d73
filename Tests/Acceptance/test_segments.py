"""Batch segment jobs through the SDK, from a bucket and back."""

import json
import random

import pytest
from test_jobs import INTERACTIONS, ended

ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.fixture(scope="module")
def personalize(bucketed):
    return bucketed.aws("personalize")


@pytest.fixture(scope="module")
def version(personalize, bucket):
    """A trained item-affinity version: user n likes the items whose number ends as n does."""
    generator = random.Random(11)
    rows = [f"u{index % 200},i{generator.randrange(10) * 10 + index % 10},{1_700_000_000 + index}" for index in range(6000)]
    (bucket / "interactions.csv").write_text("\n".join(["USER_ID,ITEM_ID,TIMESTAMP"] + rows) + "\n")
    group = personalize.create_dataset_group(name="segments")["datasetGroupArn"]
    schema = personalize.create_schema(name="segments", schema=INTERACTIONS)["schemaArn"]
    dataset = personalize.create_dataset(name="segments", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions")["datasetArn"]
    job = personalize.create_dataset_import_job(jobName="segments", datasetArn=dataset, roleArn=ROLE,
                                                dataSource={"dataLocation": "s3://data/interactions.csv"})["datasetImportJobArn"]
    imported = ended(lambda: personalize.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"])
    assert imported["status"] == "ACTIVE", imported
    solution = personalize.create_solution(name="segments", datasetGroupArn=group, performAutoTraining=False,
                                           recipeArn="arn:aws:personalize:::recipe/aws-item-affinity")["solutionArn"]
    arn = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    answer = ended(lambda: personalize.describe_solution_version(solutionVersionArn=arn)["solutionVersion"])
    assert answer["status"] == "ACTIVE", answer
    return arn


def test_a_segment_job_answers_every_line_beside_its_input(personalize, bucket, version):
    assert set(personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]) == {
        "coverage", "hits_at_1_percent", "recall_at_1_percent"}
    (bucket / "in").mkdir()
    (bucket / "out").mkdir()
    (bucket / "out").chmod(0o777)
    (bucket / "in" / "items.json").write_text('{"itemId": "i33"}\n{"itemId": "unknown"}\n{"itemId": "i57"}\n')
    place = {"jobInput": {"s3DataSource": {"path": "s3://data/in/items.json"}},
             "jobOutput": {"s3DataDestination": {"path": "s3://data/out/"}}}
    arn = personalize.create_batch_segment_job(jobName="all", solutionVersionArn=version, numResults=20, roleArn=ROLE, **place)[
        "batchSegmentJobArn"]
    assert arn.endswith(":batch-segment-job/all")
    job = ended(lambda: personalize.describe_batch_segment_job(batchSegmentJobArn=arn)["batchSegmentJob"])
    assert job["status"] == "ACTIVE", job
    assert (job["jobName"], job["numResults"], job["solutionVersionArn"], job["roleArn"]) == ("all", 20, version, ROLE)
    assert {name: job[name] for name in place} == place
    answers = [json.loads(line) for line in (bucket / "out" / "items.json.out").read_text().splitlines()]
    assert [line["input"] for line in answers] == [{"itemId": "i33"}, {"itemId": "unknown"}, {"itemId": "i57"}]
    for line, taste in ((answers[0], 3), (answers[2], 7)):
        assert set(line) == {"input", "output"}
        users = line["output"]["recommendedUsers"]
        assert len(set(users)) == 20
        assert sum(int(user[1:]) % 10 == taste for user in users) >= 18
    assert answers[1]["output"] is None and answers[1]["error"]
    listed = personalize.list_batch_segment_jobs(solutionVersionArn=version)["batchSegmentJobs"]
    assert [entry["batchSegmentJobArn"] for entry in listed] == [arn]


def test_a_segmentation_has_no_campaign(personalize, version):
    with pytest.raises(personalize.exceptions.InvalidInputException, match="batch segment jobs"):
        personalize.create_campaign(name="segments", solutionVersionArn=version, minProvisionedTPS=1)
