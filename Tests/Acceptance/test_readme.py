"""What the README tells a reader to run, run as it stands there."""

import os
import pathlib
import re
import subprocess
import sys

import pytest
from running import ROOT, Product, make_folder

README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def own():
    """A product that may be stopped and copied."""
    running = Product(arguments=["--no-demo"])
    try:
        yield running.start()
    finally:
        running.remove()


def sdk_environment(product):
    return {**os.environ, "AWS_ENDPOINT_URL": product.url, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": product.value("Key id"), "AWS_SECRET_ACCESS_KEY": product.value("Secret")}


def test_the_first_project_runs_and_reacts(own):
    command = re.search(r"^python3 (docs/example/\S+)$", README, re.M)[1]
    done = subprocess.run([sys.executable, ROOT / command], env=sdk_environment(own), capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr + own.log()[-3000:]
    before = re.search(r"^before: (.*)$", done.stdout, re.M)[1]
    after = re.search(r"^after:  (.*)$", done.stdout, re.M)[1]
    assert before != after
    assert "book-c" in after


def test_a_restored_backup_has_everything(own):
    """Back up, lose the folder, restore, start: as the table of the README says, on the folder of the test."""
    backup = re.search(r"`(tar -C /var/lib -czf tastemaker\.tgz tastemaker)`", README)[1]
    restore = re.search(r"`(tar -C /var/lib -xzf tastemaker\.tgz)`", README)[1]

    def run(command):
        here = command.replace("/var/lib", own.folder).replace("tastemaker.tgz", f"{own.folder}/tastemaker.tgz")
        subprocess.run(here.removesuffix(" tastemaker") + (" data" if here.endswith(" tastemaker") else ""), shell=True, check=True)

    own.stop()
    run(backup)
    subprocess.run(["rm", "-r", f"{own.folder}/data"], check=True)
    run(restore)
    key, secret = own.value("Key id"), own.value("Secret")
    again = Product(folder=own.folder, arguments=["--no-demo"])
    try:
        again.start()
        environment = {**sdk_environment(own), "AWS_ENDPOINT_URL": again.url, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
        code = "import boto3; print([g['name'] for g in boto3.client('personalize').list_dataset_groups()['datasetGroups']])"
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
        assert "bookshop" in done.stdout, done.stderr
    finally:
        again.stop()


def test_every_file_and_folder_that_the_readme_names_exists():
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert pathlib.Path(ROOT, link).exists(), link
