"""A running product with data of a given size, made through its own doors."""

import json
import os
import pathlib
import random
import time

import boto3
from running import Product, make_folder

INTERACTIONS = {"type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "version": "1.0", "fields": [
    {"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"}, {"name": "TIMESTAMP", "type": "long"},
    {"name": "EVENT_TYPE", "type": "string"}]}
ITEMS = {"type": "record", "name": "Items", "namespace": "com.amazonaws.personalize.schema", "version": "1.0", "fields": [
    {"name": "ITEM_ID", "type": "string"}, {"name": "TITLE", "type": ["string", "null"]},
    {"name": "CATEGORY", "type": ["string", "null"], "categorical": True}, {"name": "PRICE", "type": ["float", "null"]}]}


def write_interactions(path, users, items, events, seed=1):
    """Users keep to a few of a hundred blocks of items, popularity inside a block falls off."""
    random.seed(seed)
    begin = 1_700_000_000
    taste = [[random.randrange(100) for _ in range(3)] for _ in range(users)]
    with open(path, "w") as file:
        file.write("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n")
        for index in range(events):
            user = random.randrange(users)
            block = random.choice(taste[user])
            item = (int(random.random() ** 2 * (items // 100)) * 100 + block) % items
            kind = "Purchase" if index % 17 == 0 else "View"
            file.write(f"u{user},i{item},{begin + index},{kind}\n")


def write_items(path, items, seed=2):
    random.seed(seed)
    with open(path, "w") as file:
        file.write("ITEM_ID,TITLE,CATEGORY,PRICE\n")
        for index in range(items):
            file.write(f"i{index},Item {index},c{index % 100},{random.randrange(100, 9999) / 100}\n")


class Shop:
    """A dataset group over boto3 alone. `bucket`: the folder behind s3://bench/."""

    def __init__(self, name="bench"):
        self.folder = make_folder()
        self.bucket = pathlib.Path(self.folder, "bucket")
        self.bucket.mkdir()
        os.chmod(self.bucket, 0o755)
        self.name = name
        self.product = Product(folder=self.folder, arguments=["--no-demo"], environment={"TASTEMAKER_BUCKETS": f"bench={self.bucket}"})

    def __enter__(self):
        self.product.start()
        self.key, self.secret = self.product.value("Key id"), self.product.value("Secret")
        self.control, self.runtime, self.events = (
            boto3.client(service, endpoint_url=self.product.url, aws_access_key_id=self.key, aws_secret_access_key=self.secret,
                         region_name="us-east-1") for service in ("personalize", "personalize-runtime", "personalize-events"))
        return self

    def __exit__(self, *_):
        self.product.remove()

    def wait(self, describe, seconds=600):
        """Polls a Describe until its status is ACTIVE."""
        deadline = time.monotonic() + seconds
        while True:
            answer = describe()
            status = answer["status"]
            if status == "ACTIVE":
                return answer
            assert "FAILED" not in status, answer.get("failureReason")
            assert time.monotonic() < deadline, answer
            time.sleep(0.1)

    def make_group(self):
        self.group = self.control.create_dataset_group(name=self.name)["datasetGroupArn"]
        return self.group

    def add_dataset(self, kind, schema):
        arn = self.control.create_schema(name=f"{self.name}-{kind}", schema=json.dumps(schema))["schemaArn"]
        return self.control.create_dataset(name=kind, datasetType=kind, datasetGroupArn=self.group, schemaArn=arn)["datasetArn"]

    def load(self, dataset, file, job):
        """Seconds from the call to ACTIVE."""
        begun = time.monotonic()
        arn = self.control.create_dataset_import_job(
            jobName=job, datasetArn=dataset, dataSource={"dataLocation": f"s3://bench/{file}"},
            roleArn="arn:aws:iam::123456789012:role/import")["datasetImportJobArn"]
        self.wait(lambda: self.control.describe_dataset_import_job(datasetImportJobArn=arn)["datasetImportJob"])
        return time.monotonic() - begun

    def train(self, recipe, name):
        """ARN of an ACTIVE version, and the seconds that training took."""
        begun = time.monotonic()
        solution = self.control.create_solution(
            name=name, datasetGroupArn=self.group, recipeArn=f"arn:aws:personalize:::recipe/{recipe}", performAutoTraining=False)["solutionArn"]
        version = self.control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
        self.wait(lambda: self.control.describe_solution_version(solutionVersionArn=version)["solutionVersion"])
        return version, time.monotonic() - begun

    def deploy(self, version, name):
        arn = self.control.create_campaign(name=name, solutionVersionArn=version, minProvisionedTPS=1)["campaignArn"]
        self.wait(lambda: self.control.describe_campaign(campaignArn=arn)["campaign"])
        return arn
