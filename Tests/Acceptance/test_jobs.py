"""Imports and trainings in the job worker: from S3, and through its sudden death."""

import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import boto3
import pytest
from running import Product, children, free_port, make_folder, wait_until

INTERACTIONS = """{"type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "version": "1.0", "fields": [
    {"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"}, {"name": "TIMESTAMP", "type": "long"}]}"""


@pytest.fixture(scope="module")
def store():
    """moto's S3 server, with an empty bucket."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id="test",
                          aws_secret_access_key="test")

    def is_ready():
        try:
            client.create_bucket(Bucket="shop-data")
            return True
        except Exception:
            time.sleep(0.2)
            return False

    try:
        wait_until(is_ready, 30, "moto answers")
        yield client
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def running(store):
    product = Product(folder=make_folder(), arguments=["--no-demo"], environment={
        "TASTEMAKER_S3_ENDPOINT": store.meta.endpoint_url, "TASTEMAKER_S3_ACCESS_KEY": "test", "TASTEMAKER_S3_SECRET_KEY": "test"})
    try:
        yield product.start()
    finally:
        product.remove()


@pytest.fixture(scope="module")
def personalize(running):
    return boto3.client("personalize", endpoint_url=running.url, region_name="us-east-1", aws_access_key_id=running.value("Key id"),
                        aws_secret_access_key=running.value("Secret"))


@pytest.fixture(scope="module")
def dataset(personalize):
    group = personalize.create_dataset_group(name="jobs")["datasetGroupArn"]
    schema = personalize.create_schema(name="jobs", schema=INTERACTIONS)["schemaArn"]
    return personalize.create_dataset(name="jobs", schemaArn=schema, datasetGroupArn=group, datasetType="Interactions")["datasetArn"]


def interactions(count, users=3000, items=4000):
    generator = random.Random(7)
    lines = ["USER_ID,ITEM_ID,TIMESTAMP"]
    for index in range(count):
        user = generator.randrange(users)
        lines.append(f"u{user},i{(generator.randrange(items // 10) * 10 + user % 10) % items},{1_700_000_000 + index}")
    return "\n".join(lines) + "\n"


def ended(describe, seconds=120):
    def look():
        answer = describe()
        return answer if answer["status"] == "ACTIVE" or "FAILED" in answer["status"] else time.sleep(0.1)
    return wait_until(look, seconds, "the work has ended")


def run_import(personalize, dataset, name, location):
    arn = personalize.create_dataset_import_job(
        jobName=name, datasetArn=dataset, dataSource={"dataLocation": location}, roleArn="arn:aws:iam::123456789012:role/import")["datasetImportJobArn"]
    return ended(lambda: personalize.describe_dataset_import_job(datasetImportJobArn=arn)["datasetImportJob"])


def test_a_missing_object_fails_with_the_code_of_s3(personalize, dataset):
    job = run_import(personalize, dataset, "missing", "s3://shop-data/none.csv")
    assert job["status"] == "CREATE FAILED"
    assert "NoSuchKey" in job["failureReason"]
    job = run_import(personalize, dataset, "no-bucket", "s3://other-bucket/none.csv")
    assert "NoSuchBucket" in job["failureReason"] or "NoSuchKey" in job["failureReason"]


def test_a_folder_of_a_bucket_is_imported(personalize, dataset, store):
    text = interactions(60_000)
    head, lines = text.split("\n", 1)
    half = lines.index("\n", len(lines) // 2) + 1
    store.put_object(Bucket="shop-data", Key="in/1.csv", Body=(head + "\n" + lines[:half]).encode())
    store.put_object(Bucket="shop-data", Key="in/2.csv", Body=(head + "\n" + lines[half:]).encode())
    job = run_import(personalize, dataset, "folder", "s3://shop-data/in/")
    assert job["status"] == "ACTIVE", job


def worker_of(running):
    return next((pid for pid, line in children(running.process.pid).items() if line.split()[1:2] == ["work"]), None)


def test_a_training_whose_worker_is_killed_is_done_by_another_once(running, personalize, dataset, store):
    store.put_object(Bucket="shop-data", Key="large.csv", Body=interactions(400_000, 20_000, 20_000).encode())
    assert run_import(personalize, dataset, "large", "s3://shop-data/large.csv")["status"] == "ACTIVE"
    group = personalize.describe_dataset(datasetArn=dataset)["dataset"]["datasetGroupArn"]
    solution = personalize.create_solution(
        name="killed", datasetGroupArn=group, recipeArn="arn:aws:personalize:::recipe/aws-user-personalization",
        performAutoTraining=False)["solutionArn"]
    version = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]

    def describe():
        return personalize.describe_solution_version(solutionVersionArn=version)["solutionVersion"]

    wait_until(lambda: describe()["status"] == "CREATE IN_PROGRESS", 30, "the training runs")
    dead = worker_of(running)
    os.kill(dead, signal.SIGKILL)
    begin = time.monotonic()
    assert describe()["status"] == "CREATE IN_PROGRESS"
    done = ended(describe, 180)
    assert done["status"] == "ACTIVE", done
    assert worker_of(running) not in (None, dead)
    models = [path.name for path in pathlib.Path(running.folder, "data/models").rglob("*.tmm")]
    assert len(models) == 1 and models[0].endswith("-2.tmm"), models
    print(f"done by another worker {time.monotonic() - begin:.1f} s after the kill")
