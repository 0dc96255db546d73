"""PostgreSQL and the workers die under real traffic: recommendations, events and pages through nginx."""

import collections
import itertools
import json
import os
import pathlib
import signal
import subprocess
import threading
import time
import uuid

from running import postgres_tools, wait_until
from signing import Caller, recommend


class Traffic:
    """Requests of every kind, each kind on connections of its own, every answer kept."""

    def __init__(self, shop):
        self.shop = shop
        self.answers = collections.defaultdict(list)
        self.accepted, self.unknown = set(), {}
        self.numbers = itertools.count()
        self.name = uuid.uuid4().hex[:8]
        self.stopping = threading.Event()
        kinds = [self.signed, self.signed, self.bearer, self.tracked, self.event, self.event, self.page, self.control]
        self.threads = [threading.Thread(target=self.repeat, args=(kind,), daemon=True) for kind in kinds]

    def repeat(self, kind):
        caller = Caller(self.shop)
        while not self.stopping.is_set():
            self.answers[kind.__name__].append(kind(caller))

    def signed(self, caller):
        return recommend(caller, self.shop, f"{self.name}-{next(self.numbers) % 50}")

    def bearer(self, caller):
        path = f"/v1/placements/home-for-you/recommendations?datasetGroup={self.shop.group}&userId=visitor-2"
        return caller.send("GET", path, headers={"Authorization": f"Bearer {self.shop.bearer}"})

    def control(self, caller):
        return caller.signed("/", {}, "ListSolutions")

    def page(self, caller):
        return caller.send("GET", "/console/password", headers={"Cookie": self.shop.cookies})

    def event(self, caller):
        number = next(self.numbers)
        return self.note(number, self.put(caller, number))

    def tracked(self, caller):
        number = next(self.numbers)
        body = {"key": self.shop.tracking, "batch": [
            {"type": "track", "event": "View", "messageId": f"{self.name}-{number}", "anonymousId": f"{self.name}-{number}",
             "properties": {"itemId": self.shop.item}, "context": {"consent": "granted"}}]}
        return self.note(number, caller.send("POST", "/e", json.dumps(body), {"Content-Type": "application/json"}), body)

    def put(self, caller, number):
        """Each event has a user of its own, so that the store tells which are in it."""
        return caller.signed("/events", {
            "trackingId": self.shop.tracking, "userId": f"{self.name}-{number}", "sessionId": f"{self.name}-s{number}",
            "eventList": [{"eventId": f"{self.name}-{number}", "eventType": "View", "itemId": self.shop.item, "sentAt": int(time.time())}]})

    def note(self, number, answer, body=None):
        if answer.status in (200, 202):
            self.accepted.add(number)
        elif body is None:
            self.unknown[number] = answer
        return answer

    def send_again(self):
        """What got no answer or a 503, as a client would."""
        caller = Caller(self.shop)
        for number in self.unknown:
            assert self.put(caller, number).status == 200
            self.accepted.add(number)

    def stored(self):
        """How often each event's user occurs among the interactions."""
        text = ("SELECT replace(u.external_id, 'anonymous:', ''), count(*) FROM tastemaker.interaction i "
                "JOIN tastemaker.dataset d ON d.id = i.dataset_id "
                "JOIN tastemaker.user_key u ON u.dataset_group_id = d.dataset_group_id AND u.id = i.user_id "
                f"WHERE u.external_id LIKE '%{self.name}-%' GROUP BY 1")
        return {int(name.rsplit("-", 1)[1]): int(count) for name, count in (line.split("|") for line in self.shop.sql(text))}

    def count(self, kind):
        return len(self.answers[kind])

    def since(self, moment, *kinds):
        return [answer for kind in kinds for answer in self.answers[kind] if answer.begun >= moment]

    def failures(self):
        return [(kind, answer.status, answer.body[:200]) for kind, answers in self.answers.items() for answer in answers
                if answer.status not in (200, 202)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        wait_until(lambda: all(self.count(kind) > 30 for kind in ("signed", "bearer", "tracked", "event", "page", "control")), 30, "traffic flows")
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(40)


def is_normal(answer):
    return answer.status in (200, 202) and "X-Tastemaker-Degraded" not in answer.headers and b'"degraded":true' not in answer.body


def test_postgres_stops_under_load_and_comes_back(shop):
    workers = shop.processes("worker --pool")
    tools = postgres_tools()
    owner = pathlib.Path(shop.folder, "data/pg").owner()
    drop = ["setpriv", f"--reuid={owner}", "--clear-groups", "--"] if os.geteuid() == 0 else []
    with Traffic(shop) as traffic:
        assert traffic.failures() == []
        # Who starts it again sleeps, so that the outage lasts.
        os.kill(shop.process.pid, signal.SIGSTOP)
        try:
            subprocess.run([*drop, str(tools / "pg_ctl"), "stop", "-m", "immediate", "-D", f"{shop.folder}/data/pg"], check=True,
                           capture_output=True, cwd="/")
            stopped = time.monotonic()
            wait_until(lambda: time.monotonic() > stopped + 6 and all(
                traffic.since(stopped, kind) for kind in ("event", "tracked", "page", "control")), 20, "everybody asked during the outage")
            ended = time.monotonic()
        finally:
            os.kill(shop.process.pid, signal.SIGCONT)
        wait_until(lambda: subprocess.run([str(tools / "pg_isready"), "-q", "-h", f"{shop.folder}/run/pg"]).returncode == 0, 30, "PostgreSQL runs")
        ready = time.monotonic()
        wait_until(lambda: all(is_normal(answer) for kind in list(traffic.answers) for answer in traffic.answers[kind][-5:]
                               if answer.begun > ended), 20, "all is normal again")
        recovered = time.monotonic()
        wait_until(lambda: len(traffic.since(recovered, "signed", "bearer", "event", "page")) > 200, 20, "the load goes on")
    during = [answer for answer in traffic.since(stopped, "signed", "bearer") if answer.begun + answer.seconds < ended]
    lists = [answer for kind in ("signed", "bearer") for answer in traffic.answers[kind]]
    print(f"{len(during)} recommendations in {ended - stopped:.1f} s; PostgreSQL back after {ready - ended:.1f} s, normal {recovered - ready:.1f} s later")
    for kind, answers in traffic.answers.items():
        print(kind, collections.Counter(a.status for a in answers), "slowest", round(max(a.seconds for a in answers), 2))
    assert [answer.body for answer in lists if answer.status != 200] == []
    assert max(answer.seconds for answer in lists) < 2
    assert len(during) > 50
    assert [answer.body for answer in during[10:] if is_normal(answer)] == []
    others = [answer for kind in ("event", "tracked", "page", "control") for answer in traffic.answers[kind]]
    assert {answer.status for answer in others} <= {200, 202, 503}
    assert all(answer.headers["Retry-After"] for answer in others if answer.status == 503)
    # Those that met the beginning waited for a quick restart; afterwards nobody hangs.
    assert max(answer.seconds for answer in others) < 8
    assert recovered - ready < 5
    assert shop.processes("worker --pool") == workers
    traffic.send_again()
    stored = traffic.stored()
    assert [number for number in traffic.accepted if stored.get(number) != 1] == []
    assert max(stored.values()) == 1


def test_killed_workers_of_every_pool_lose_and_double_nothing(shop):
    wait_until(lambda: len(shop.processes("worker --pool")) == 6, 40, "all workers run")
    with Traffic(shop) as traffic:
        for pool in ("api", "events", "console"):
            before = traffic.count("event") + traffic.count("signed")
            victim = shop.processes(f"worker --pool {pool}")[0]
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: len([pid for pid in shop.processes(f"worker --pool {pool}") if pid != victim]) == 2, 5, "a new one runs")
            wait_until(lambda: traffic.count("event") + traffic.count("signed") > before + 200, 20, "the load goes on")
    # At most what the killed workers had in work; nginx sends again what it may.
    assert len(traffic.failures()) <= 8
    assert {status for _, status, _ in traffic.failures()} <= {502, 503}
    traffic.send_again()
    stored = traffic.stored()
    assert [number for number in traffic.accepted if stored.get(number) != 1] == []
    assert max(stored.values()) == 1
