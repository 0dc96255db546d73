"""The real product in a temporary folder, as a test starts and ends it."""

import atexit
import http.client
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def binary():
    """The program under test: TASTEMAKER_BINARY, else the newest build."""
    given = os.environ.get("TASTEMAKER_BINARY")
    if given:
        return given
    builds = [ROOT / ".build" / kind / "tastemaker" for kind in ("release", "debug")]
    return str(max((path for path in builds if path.exists()), key=lambda path: path.stat().st_mtime))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds, what):
    """The first true value of condition(); fails with `what` when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(0.01)


def make_folder():
    """A folder that an unprivileged account can enter, unlike pytest's own."""
    folder = tempfile.mkdtemp(prefix="tmk-", dir="/tmp")
    os.chmod(folder, 0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def end_orderly():
    """Lets a run that is told to end (as `timeout` tells it) stop what it started, as an interrupt at the terminal does."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def children(pid):
    """Living processes that descend from pid, as {pid: command line}."""
    parents = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = pathlib.Path(f"/proc/{entry}/stat").read_text()
            line = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, parent = stat.rsplit(")", 1)[1].split()[:2]
        if state != "Z":
            parents[int(entry)] = (int(parent), line)
    found, grew = {pid}, True
    while grew:
        more = {child for child, (parent, _) in parents.items() if parent in found} - found
        found |= more
        grew = bool(more)
    return {child: parents[child][1] for child in found - {pid} if child in parents}


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def postgres_tools():
    """The folder of the newest PostgreSQL's programs."""
    return sorted(pathlib.Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name))[-1] / "bin"


class DatabaseServer:
    """A PostgreSQL of the test's own on a port of this machine: passwords, TCP, and a role `shop` that is no superuser."""

    def __init__(self):
        self.folder = make_folder()
        self.port = free_port()
        self.prefix = []
        if os.geteuid() == 0:
            os.chown(self.folder, 65534, 65534)
            self.prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        pathlib.Path(self.folder, "password").write_text("secret")
        os.chmod(f"{self.folder}/password", 0o644)
        self._run("initdb", "--pgdata", f"{self.folder}/pg", "--username", "postgres", "--encoding", "UTF8", "--locale", "C.UTF-8",
                  "--auth", "scram-sha-256", "--pwfile", f"{self.folder}/password", "--no-sync")
        self.start()
        self.sql("CREATE ROLE shop LOGIN PASSWORD 'secret'")
        self.count = 0

    def _run(self, program, *arguments):
        subprocess.run([*self.prefix, str(postgres_tools() / program), *arguments], check=True, capture_output=True, cwd="/")

    def start(self):
        self._run("pg_ctl", "start", "-w", "-D", f"{self.folder}/pg", "-l", f"{self.folder}/log",
                  "-o", f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off")

    def stop(self):
        self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", f"{self.folder}/pg")

    def url(self, database, role="shop"):
        return f"postgresql://{role}:secret@127.0.0.1:{self.port}/{database}"

    def sql(self, text, database="postgres", role="postgres"):
        """What a statement answers, as lines of columns with bars between."""
        done = subprocess.run([str(postgres_tools() / "psql"), "-XqAtc", text, self.url(database, role)], check=True, capture_output=True, text=True)
        return done.stdout.splitlines()

    def new_database(self):
        """The address of an empty database that the role owns."""
        self.count += 1
        self.sql(f"CREATE DATABASE shop{self.count} OWNER shop")
        return self.url(f"shop{self.count}")

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Product:
    """One `tastemaker up`; on the server `given`, where there is one, in place of a private cluster."""

    given = None

    def __init__(self, folder=None, arguments=(), environment=None, user=None, program=None, data="data"):
        self.folder = folder or make_folder()
        self.data = f"{self.folder}/{data}"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = ""
        self.earlier = ""
        self.prefix = []
        self.process = None
        self.arguments = list(arguments)
        self.environment = environment or {}
        if Product.given and "DATABASE_URL" not in self.environment:
            self.environment = {**self.environment, "DATABASE_URL": Product.given.new_database()}
        self.user = user
        self.program = program or binary()

    def command(self):
        base = [self.program, "up", "--data", self.data, "--run", f"{self.folder}/run",
                "--listen", f"127.0.0.1:{self.port}", *self.arguments]
        if self.user:
            return ["setpriv", f"--reuid={self.user}", "--regid=65534", "--clear-groups", "--", *base]
        return self.prefix + base

    def launch(self):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("TASTEMAKER_") and not key.startswith("DATABASE_URL")}
        environment.update(self.environment)
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True)
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self.reader.start()
        return self

    def _read(self, stream):
        for line in stream:
            self.output += line

    def start(self, seconds=120):
        self.launch()
        wait_until(lambda: "Ctrl-C stops everything" in self.output or self.process.poll() is not None, seconds, "the product serves")
        assert self.process.poll() is None, self.output
        return self

    def restart(self, prefix=(), **environment):
        """Stops it and starts it again, with a command before it or with other settings; what is printed once stays known."""
        self.stop()
        self.earlier, self.output = self.earlier + self.output, ""
        self.prefix, self.environment = list(prefix), environment
        return self.start()

    def run(self, *arguments, **more):
        """Another command of the program, on this product's folders alone."""
        command = [self.program, *arguments, "--data", self.data, "--run", f"{self.folder}/run"]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, **more)

    def sql(self, text):
        """What a statement answers in the private cluster, as lines of columns with bars between."""
        command = [str(postgres_tools() / "psql"), "-XqAt", "-h", f"{self.folder}/run/pg", "-U", "postgres", "-c", text, "tastemaker"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()

    def ends_with(self, seconds=60):
        """Everything that a start said which is expected to fail, with its exit code."""
        self.launch()
        code = self.process.wait(seconds)
        self.reader.join(5)
        return code, self.output

    def stop(self, number=signal.SIGINT, seconds=60):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(seconds)
        return self.process.returncode if self.process else None

    def remove(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def aws(self, service, region="us-east-1"):
        """A client of the AWS SDK with the key pair of the first start, that asks once only."""
        import boto3  # not at the top: the benchmarks start products without it
        import botocore.config

        return boto3.client(
            service, endpoint_url=self.url, region_name=region, aws_access_key_id=self.value("Key id"),
            aws_secret_access_key=self.value("Secret"), config=botocore.config.Config(retries={"max_attempts": 0}))

    def value(self, label):
        """What the closing summary says after a label at the start of a line."""
        for line in (self.output + self.earlier).splitlines():
            if line.startswith(label):
                return line[len(label):].strip()
        raise KeyError(f"{label} is not in the output:\n{self.output}")

    def processes(self, words):
        return sorted(pid for pid, line in children(self.process.pid).items() if words in line)

    def serve_pid(self):
        return next(pid for pid, line in children(self.process.pid).items() if line.split()[1:2] == ["serve"])

    def log(self):
        return pathlib.Path(self.data, "logs/tastemaker.log").read_text()


class Load:
    """Requests without a pause on a few kept connections, every answer counted."""

    def __init__(self, port, path="/health/live", method="GET", body=None, connections=6):
        self.port, self.path, self.method, self.body = port, path, method, body
        self.answers, self.failures, self.slowest = 0, [], 0.0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(connections)]

    def _run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self._stop.is_set():
            begun = time.monotonic()
            try:
                connection.request(self.method, self.path, body=self.body)
                answer = connection.getresponse()
                answer.read()
                failure = None if answer.status < 500 else f"{answer.status}"
            except (OSError, http.client.HTTPException) as error:
                failure = repr(error)
                connection.close()
            with self._lock:
                self.answers += 1
                self.slowest = max(self.slowest, time.monotonic() - begun)
                if failure:
                    self.failures.append(failure)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        wait_until(lambda: self.answers > 50, 20, "the load has begun")
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
