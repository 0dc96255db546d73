"""What the README tells a reader to run, run as it stands there."""

import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest
from running import ROOT, Product, binary, children

README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def own():
    """A product that may be stopped and copied."""
    running = Product(arguments=["--no-demo"], data="tastemaker")
    os.mkdir(f"{running.folder}/programs")
    os.symlink(binary(), f"{running.folder}/programs/tastemaker")
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


def recommended(product):
    code = ("import boto3; "
            "campaign = boto3.client('personalize').list_campaigns()['campaigns'][0]['campaignArn']; "
            "answer = boto3.client('personalize-runtime').get_recommendations(campaignArn=campaign, userId='new-reader'); "
            "print([(item['itemId'], item.get('score')) for item in answer['itemList']])")
    done = subprocess.run([sys.executable, "-c", code], env=sdk_environment(product), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


# "Living with it": every command of its table, as it stands there. Only the places are the test's: /var/lib, the address and the names.

LIVING = README.split("## Living with it")[1].split("\n## ")[0]
ROWS = {cells[1].strip(): re.findall(r"`([^`]+)`", cells[2]) for cells in (line.split("|") for line in LIVING.splitlines()) if len(cells) == 4}


def shell(own, command, **more):
    here = command.replace("/var/lib", own.folder).replace("http://127.0.0.1:8080", own.url)
    environment = {**os.environ, "PATH": f"{own.folder}/programs:{os.environ['PATH']}", "TASTEMAKER_DATA": own.data,
                   "TASTEMAKER_RUN": f"{own.folder}/run", "TASTEMAKER_LISTEN": f"127.0.0.1:{own.port}"}
    return subprocess.run(["sh", "-c", here], cwd=own.folder, env=environment, **{"capture_output": True, "text": True, "timeout": 60, **more})


def test_the_table_has_the_commands_that_are_run_here():
    assert {name: len(commands) for name, commands in ROWS.items() if commands} == {
        "back up": 2, "restore": 1, "upgrade": 1, "erase a user": 2, "check": 1, "uninstall": 2}
    assert ROWS["back up"][1] == "secret.key" and ROWS["uninstall"][1] == "scripts/install"


def test_a_restored_backup_recommends_the_same(own):
    before = recommended(own)
    own.stop()
    assert shell(own, ROWS["back up"][0]).returncode == 0
    subprocess.run(["rm", "-r", own.data], check=True)
    done = shell(own, ROWS["restore"][0])
    assert done.returncode == 0, done.stderr
    own.restart()
    assert "Password" not in own.output
    assert recommended(own) == before


def test_check_finds_no_fault(own):
    done = shell(own, ROWS["check"][0])
    assert done.returncode == 0, done.stdout
    assert "ok     The database has every migration" in done.stdout


def test_a_user_is_erased(own):
    create, erase = ROWS["erase a user"]
    key = shell(own, create).stdout.strip()
    assert key.startswith("tmk_")
    known = "SELECT count(*) FROM tastemaker.user_key WHERE external_id = 'new-reader'"
    assert own.sql(known) == ["1"]
    done = shell(own, erase.replace("KEY", key).replace("/ID", "/new-reader").replace("GROUP", "bookshop") + " --fail-with-body --silent")
    assert done.returncode == 0, done.stdout
    assert own.sql(known) == ["0"]


def test_an_upgrade_keeps_everything(own):
    """The network and the compiler are not the test's: git and swift do nothing, and the program is the one that is tested."""
    before = recommended(own)
    own.stop()
    clone = pathlib.Path(own.folder, "clone")
    (clone / ".build/release").mkdir(parents=True)
    os.symlink(binary(), clone / ".build/release/tastemaker")
    for name in ("Makefile", "scripts"):
        os.symlink(ROOT / name, clone / name)
    for name in ("git", "swift"):
        program = pathlib.Path(own.folder, "programs", name)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{own.folder}/programs:{os.environ['PATH']}"}
    own.command = lambda: ["env", *(f"{name}={value}" for name, value in [
        ("PATH", environment["PATH"]), ("TASTEMAKER_DATA", own.data), ("TASTEMAKER_RUN", f"{own.folder}/run"),
        ("TASTEMAKER_LISTEN", f"127.0.0.1:{own.port}")]), "sh", "-c", f"cd {clone} && {ROWS['upgrade'][0]}"]
    try:
        own.restart()
        assert "Making the database" not in own.output
        assert recommended(own) == before
        up = next(pid for pid, line in children(own.process.pid).items() if line.split()[0].endswith("tastemaker") and line.split()[1:2] == ["up"])
        os.kill(up, signal.SIGINT)
        assert own.process.wait(60) == 0
    finally:
        del own.command


def test_uninstalling_leaves_nothing(own):
    own.stop()
    assert shell(own, ROWS["uninstall"][0]).returncode == 0
    assert sorted(os.listdir(own.folder)) == ["clone", "programs", "tastemaker.tgz"]
    assert (ROOT / ROWS["uninstall"][1]).exists()


def test_every_file_and_folder_that_the_readme_names_exists():
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert pathlib.Path(ROOT, link).exists(), link
