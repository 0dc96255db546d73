"""The processes of the product: replaced, restarted, drained and stopped under load."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from running import ROOT, Load, Product, binary, children, free_port, is_alive, make_folder, wait_until


@pytest.fixture(scope="module")
def own():
    """A product that these tests may kill parts of."""
    running = Product(arguments=["--no-demo"])
    try:
        yield running.start()
    finally:
        running.remove()


def get(url, **headers):
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    return answer, answer.read()


METHODS = [("GET", None), ("POST", b"{}")]


@pytest.mark.parametrize("method,body", METHODS)
def test_a_killed_worker_costs_only_what_it_had_in_work_and_is_replaced_within_a_second(own, method, body):
    wait_until(lambda: len(own.processes("worker --pool api")) == 2, 40, "both workers run")
    with Load(own.port, method=method, body=body) as load:
        victim = own.processes("worker --pool api")[0]
        os.kill(victim, signal.SIGKILL)
        killed = time.monotonic()
        wait_until(lambda: len([pid for pid in own.processes("worker --pool api") if pid != victim]) == 2, 5, "a new worker runs")
        seconds = time.monotonic() - killed
        before = load.answers
        wait_until(lambda: load.answers > before + 200, 20, "the load goes on")
    assert seconds < 1
    assert len(load.failures) <= 6, load.failures[:5]


@pytest.mark.parametrize("method,body", METHODS)
def test_a_reload_replaces_every_worker_without_a_failed_request(own, method, body):
    wait_until(lambda: len(own.processes("worker --pool")) == 6, 40, "all workers run")
    for _ in range(3):
        old = set(own.processes("worker --pool"))
        with Load(own.port, method=method, body=body) as load:
            os.kill(own.process.pid, signal.SIGHUP)
            wait_until(lambda: len(own.processes("worker --pool")) == 6 and not old & set(own.processes("worker --pool")), 60, "all are new")
        assert load.failures == []
        assert load.answers > 100


def test_a_new_worker_that_cannot_start_leaves_the_old_ones():
    folder = make_folder()
    program = f"{folder}/tastemaker"
    shutil.copy(binary(), program)
    os.chmod(program, 0o755)
    running = Product(folder=folder, arguments=["--no-demo"], environment={"TASTEMAKER_RESOURCES": str(ROOT)}, program=program)
    try:
        running.start()
        old = running.processes("worker --pool")
        os.rename(program, program + ".away")
        os.kill(running.serve_pid(), signal.SIGHUP)
        wait_until(lambda: "the old ones stay" in running.log(), 20, "it says so")
        assert running.processes("worker --pool") == old
    finally:
        running.remove()


def test_a_worker_that_dies_at_once_again_and_again_is_started_ever_more_slowly():
    running = Product(arguments=["--no-demo"])
    try:
        running.start()
        entries = lambda: [json.loads(line) for line in running.log().splitlines() if "waiting before the next start" in line]
        delays = lambda: [int(entry["milliseconds"]) for entry in entries()]
        deadline = time.monotonic() + 30
        while len(delays()) < 3 and time.monotonic() < deadline:
            for pid in running.processes("worker --pool console"):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.01)
        assert max(delays()) > min(delays()) >= 100
    finally:
        running.remove()


def test_workers_end_when_their_supervisor_is_killed_and_it_is_started_again(own):
    wait_until(lambda: len(own.processes("worker --pool")) == 6, 40, "all workers run")
    supervisor = own.serve_pid()
    orphans = own.processes("worker --pool")
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: not any(is_alive(pid) for pid in orphans), 10, "the orphans ended")
    wait_until(lambda: get(own.url + "/health/live")[0].status == 200, 10, "a new supervisor serves")


@pytest.mark.parametrize("name", ["nginx: master", "bin/postgres -D"])
def test_what_dies_is_started_again(own, name):
    old = own.processes(name)
    assert len(old) == 1
    os.kill(old[0], signal.SIGKILL)
    wait_until(lambda: own.processes(name) not in ([], old), 40, f"{name} runs again")
    wait_until(lambda: get_or_none(own.url + "/health/live") == 200, 20, "it serves again")


def get_or_none(url):
    try:
        return get(url)[0].status
    except OSError:
        return None


def test_a_stop_answers_every_request_that_was_accepted_and_leaves_no_process():
    running = Product(arguments=["--no-demo"])
    try:
        running.start()
        family = children(running.process.pid)
        assert len(family) > 10
        with Load(running.port) as load:
            begun = time.monotonic()
            running.process.send_signal(signal.SIGINT)
            running.process.wait(60)
            seconds = time.monotonic() - begun
        assert running.process.returncode == 0
        assert seconds < 20
        # A closed or refused connection is the announced end; an answer of 5xx would be a request dropped on the way.
        assert [failure for failure in load.failures if failure[0].isdigit()] == []
        wait_until(lambda: not [pid for pid in family if is_alive(pid)], 5, "all children ended")
        assert not os.path.exists(f"{running.folder}/run")
    finally:
        running.remove()


def test_everything_ends_when_up_is_killed_and_starts_again_on_the_same_folder():
    running = Product(arguments=["--no-demo"])
    try:
        running.start()
        family = children(running.process.pid)
        running.stop(signal.SIGKILL)
        running.output = ""
        running.start()
        # The job worker may hold a job that it hands back first.
        wait_until(lambda: not [line for pid, line in family.items() if is_alive(pid) and "postgres" not in line], 40, "the others ended")
    finally:
        running.remove()


def test_a_second_start_takes_seconds_and_keeps_the_database():
    running = Product(arguments=["--no-demo"])
    try:
        running.start()
        assert "Making the database" in running.output
        key = pathlib.Path(running.folder, "data/secret.key").read_bytes()
        assert pathlib.Path(running.folder, "data/secret.key").stat().st_mode & 0o777 == 0o600
        running.stop()
        running.output = ""
        begun = time.monotonic()
        running.start()
        assert time.monotonic() - begun < 5
        assert "Making the database" not in running.output
        assert pathlib.Path(running.folder, "data/secret.key").read_bytes() == key
    finally:
        running.remove()


# What stands in the way of a start, each in a sentence that says what to do.


def refusal(running):
    code, output = running.ends_with()
    assert code not in (0, None)
    return output


def test_a_port_in_use_is_named_with_its_owner():
    running = Product()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", running.port))
        taken.listen()
        output = refusal(running)
    running.remove()
    assert f"Port {running.port} is in use by python" in output and f"(process {os.getpid()})" in output
    assert "--listen" in output


def test_a_second_up_on_one_folder_is_refused(own):
    second = Product(folder=own.folder)
    assert "already runs on" in refusal(second)
    assert get(own.url + "/health/live")[0].status == 200


def test_a_folder_on_the_way_that_the_account_cannot_enter_is_named():
    if os.geteuid() != 0:
        pytest.skip("only root starts under another account")
    folder = make_folder()
    os.makedirs(f"{folder}/closed/inner")
    os.chmod(f"{folder}/closed", 0o700)
    running = Product(folder=f"{folder}/closed/inner")
    output = refusal(running)
    shutil.rmtree(folder)
    assert f"cannot enter {folder}/closed," in output


def test_an_ordinary_user_runs_everything():
    if os.geteuid() != 0:
        pytest.skip("the other tests run as an ordinary user already")
    folder = make_folder()
    os.chown(folder, 65534, 65534)
    running = Product(folder=folder, user=65534, arguments=["--no-demo"])
    try:
        running.start()
        assert get(running.url + "/health/live")[0].status == 200
        owners = {os.stat(f"/proc/{pid}").st_uid for pid in children(running.process.pid)}
        assert owners == {65534}
        assert running.stop() == 0
    finally:
        running.remove()


def test_as_root_only_nginx_master_stays_root(own):
    if os.geteuid() != 0:
        pytest.skip("not root")
    rooted = [line for pid, line in children(own.process.pid).items() if os.stat(f"/proc/{pid}").st_uid == 0]
    assert [line.split()[:2] for line in rooted] == [["nginx:", "master"]]


def test_a_run_folder_that_is_too_long_is_refused():
    folder = make_folder()
    running = Product(folder=folder, arguments=["--run", f"{folder}/{'long' * 25}"])
    output = refusal(running)
    shutil.rmtree(folder)
    assert "107" in output and "--run" in output


def test_a_folder_without_its_key_is_refused():
    folder = make_folder()
    os.makedirs(f"{folder}/data/pg")
    pathlib.Path(folder, "data/pg/PG_VERSION").write_text("15\n")
    running = Product(folder=folder)
    output = refusal(running)
    shutil.rmtree(folder)
    assert "secret.key is missing" in output and "backup" in output


def test_a_cluster_of_another_version_is_refused():
    folder = make_folder()
    os.makedirs(f"{folder}/data/pg/global")
    pathlib.Path(folder, "data/pg/PG_VERSION").write_text("9\n")
    pathlib.Path(folder, "data/pg/global/pg_control").write_text("")
    pathlib.Path(folder, "data/secret.key").write_bytes(bytes(32))
    running = Product(folder=folder)
    output = refusal(running)
    shutil.rmtree(folder)
    assert "made by PostgreSQL 9" in output and "install postgresql-9" in output


@pytest.mark.parametrize("arguments,words", [
    (["--listen", "0.0.0.0:8099"], "--behind-proxy"),
    (["--listen", "8099"], "--listen takes an address"),
    (["--tls-certificate", "/x"], "TLS needs both"),
    (["--public-url", "shop"], "--public-url takes"),
    (["--behind-proxy", "proxy"], "--behind-proxy takes addresses"),
])
def test_unsafe_or_wrong_flags_are_refused(arguments, words):
    running = Product(arguments=arguments)
    output = refusal(running)
    running.remove()
    assert words in output


def test_a_database_that_does_not_answer_is_refused():
    running = Product(environment={"DATABASE_URL": f"postgresql://nobody@127.0.0.1:{free_port()}/none"})
    output = refusal(running)
    running.remove()
    assert "DATABASE_URL" in output and "cannot be reached" in output


def test_a_wrong_line_in_the_settings_file_is_named():
    folder = make_folder()
    os.makedirs(f"{folder}/data")
    pathlib.Path(folder, "data/tastemaker.env").write_text("# ours\nTASTEMAKER_LISTN=127.0.0.1:1\n")
    running = Product(folder=folder)
    output = refusal(running)
    shutil.rmtree(folder)
    assert "tastemaker.env line 2 names TASTEMAKER_LISTN" in output


# nginx.


@pytest.mark.parametrize("path,status", [("/%00", 400), ("/" + "x" * 9000, 414), ("/images/none.svg", 404)], ids=["zero", "long", "missing"])
def test_errors_of_nginx_are_json_with_every_header(product, path, status):
    answer, body = get(product.url + path)
    assert answer.status == status
    assert json.loads(body)["__type"]
    assert answer.headers["Content-Type"].startswith("application/x-amz-json-1.1")
    for name in ("X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy", "X-Frame-Options"):
        assert len(answer.headers.get_all(name)) == 1


def test_a_body_that_is_too_large_is_refused_in_the_words_of_the_caller(product):
    for path, kind in [("/", "application/x-amz-json-1.1"), ("/e", "application/x-amz-json-1.1"), ("/console/login", "text/html")]:
        request = urllib.request.Request(product.url + path, data=bytes(1_100_000), method="POST")
        try:
            urllib.request.urlopen(request, timeout=10)
            raise AssertionError("accepted")
        except urllib.error.HTTPError as error:
            assert error.code == 413
            assert error.headers["Content-Type"].startswith(kind)


def test_the_root_leads_to_the_console(product):
    connection = http.client.HTTPConnection("127.0.0.1", product.port)
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (302, "/console")


# TLS.


def test_over_tls_plain_requests_are_sent_on_and_the_public_address_is_used():
    folder = make_folder()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/key", "-out", f"{folder}/certificate",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    running = Product(folder=folder, arguments=["--no-demo", "--tls-certificate", f"{folder}/certificate", "--tls-key", f"{folder}/key",
                                                "--public-url", "https://localhost"])
    try:
        running.start()
        assert running.value("Console") == "https://localhost/console"
        trust = ssl.create_default_context(cafile=f"{folder}/certificate")
        with urllib.request.urlopen(f"https://localhost:{running.port}/health/live", context=trust, timeout=10) as answer:
            assert answer.status == 200
            assert "max-age" in answer.headers["Strict-Transport-Security"]
        plain = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
        plain.request("GET", "/x?y=1")
        answer = plain.getresponse()
        assert (answer.status, answer.headers["Location"]) == (308, "https://localhost/x?y=1")
    finally:
        running.remove()
