import json
import time

import boto3

personalize = boto3.client("personalize")
runtime = boto3.client("personalize-runtime")
events = boto3.client("personalize-events")


def wait(describe, key, **arn):
    while (status := describe(**arn)[key]["status"]) != "ACTIVE":
        assert "FAILED" not in status, describe(**arn)[key]["failureReason"]
        time.sleep(0.5)


group = personalize.create_dataset_group(name="bookshop")["datasetGroupArn"]
fields = [{"name": name, "type": kind} for name, kind in
          [("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long"), ("EVENT_TYPE", "string")]]
schema = personalize.create_schema(name="bookshop-interactions", schema=json.dumps(
    {"type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "fields": fields, "version": "1.0"}))["schemaArn"]
dataset = personalize.create_dataset(
    name="interactions", datasetType="Interactions", datasetGroupArn=group, schemaArn=schema)["datasetArn"]

job = personalize.create_dataset_import_job(
    jobName="bookshop-first", datasetArn=dataset, roleArn="arn:aws:iam::123456789012:role/import",
    dataSource={"dataLocation": "s3://tastemaker-example/interactions.csv"})["datasetImportJobArn"]
wait(personalize.describe_dataset_import_job, "datasetImportJob", datasetImportJobArn=job)

solution = personalize.create_solution(
    name="bookshop", datasetGroupArn=group, performAutoTraining=False,
    recipeArn="arn:aws:personalize:::recipe/aws-user-personalization")["solutionArn"]
version = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
wait(personalize.describe_solution_version, "solutionVersion", solutionVersionArn=version)
print(personalize.get_solution_metrics(solutionVersionArn=version)["metrics"])

campaign = personalize.create_campaign(name="bookshop", solutionVersionArn=version)["campaignArn"]
wait(personalize.describe_campaign, "campaign", campaignArn=campaign)


def recommended(user):
    return [item["itemId"] for item in runtime.get_recommendations(campaignArn=campaign, userId=user, numResults=5)["itemList"]]


print("before:", recommended("new-reader"))
tracker = personalize.create_event_tracker(name="bookshop", datasetGroupArn=group)["trackingId"]
events.put_events(trackingId=tracker, userId="new-reader", sessionId="1", eventList=[
    {"eventType": "View", "itemId": "book-c04", "sentAt": int(time.time())}])
print("after: ", recommended("new-reader"))
