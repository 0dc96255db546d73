"""CPU per request against a constant FastCGI program in C behind its own nginx, in interleaved rounds of one run.

The ratio of a case is taken within each round and its median shown; a second copy of the floor tells the noise."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from measuring import ROOT, cpu_nanoseconds, middle, run_wrk
from running import children, free_port, wait_until
from shop import INTERACTIONS, ITEMS, Shop, write_interactions, write_items

ROUNDS = int(os.environ.get("ROUNDS", "9"))
SECONDS = int(os.environ.get("SECONDS_PER_CASE", "2"))


class Floor:
    """The C program with 32 threads behind an nginx that is set as the product's."""

    def __init__(self, folder):
        self.port = free_port()
        program = f"{folder}/floor"
        subprocess.run(["cc", "-O2", "-o", program, str(ROOT / "Benchmarks/floor.c"), "-lfcgi", "-lpthread"], check=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{folder}/floor.sock")
        os.chmod(f"{folder}/floor.sock", 0o666)
        listener.listen(511)
        self.program = subprocess.Popen([program, "32"], stdin=listener.fileno())
        listener.close()
        configuration = f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{ access_log off; keepalive_requests 10000; client_body_temp_path {folder}/b; fastcgi_temp_path {folder}/f; proxy_temp_path {folder}/p;
  scgi_temp_path {folder}/s; uwsgi_temp_path {folder}/u;
  upstream floor {{ server unix:{folder}/floor.sock; keepalive 32; keepalive_requests 1000000; }}
  server {{ listen 127.0.0.1:{self.port}; location / {{ fastcgi_pass floor; fastcgi_keep_conn on;
    fastcgi_param REQUEST_METHOD $request_method; fastcgi_param REQUEST_URI $request_uri; fastcgi_param CONTENT_LENGTH $content_length;
    fastcgi_param CONTENT_TYPE $content_type; fastcgi_param QUERY_STRING $query_string; fastcgi_param REMOTE_ADDR $remote_addr;
    fastcgi_param HTTP_HOST $http_host; fastcgi_param REQUEST_ID $request_id; }} }} }}"""
        pathlib.Path(folder, "nginx.conf").write_text(configuration)
        self.nginx = subprocess.Popen(["nginx", "-c", f"{folder}/nginx.conf", "-p", folder], stderr=subprocess.DEVNULL)
        wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", self.port)) == 0, 10, "the floor listens")
        self.url = f"http://127.0.0.1:{self.port}/"

    def pids(self):
        return [self.program.pid, self.nginx.pid, *children(self.nginx.pid)]

    def stop(self):
        self.nginx.terminate()
        self.program.kill()  # libfcgi takes SIGTERM for itself
        for process in (self.nginx, self.program):
            process.wait(10)


def signed_file(path, shop, campaign, filter_arn):
    """Requests as boto3 signs them, for 2,000 users, each behind a line with its size."""
    signer = SigV4Auth(Credentials(shop.key, shop.secret), "personalize", "us-east-1")
    host = f"127.0.0.1:{shop.product.port}"
    with open(path, "wb") as file:
        for user in range(2000):
            body = json.dumps({"campaignArn": campaign, "userId": f"u{user}", "numResults": 25, "filterArn": filter_arn,
                               "filterValues": {"C": "\"c1\",\"c2\",\"c3\""}})
            request = AWSRequest("POST", f"http://{host}/recommendations", data=body, headers={"Content-Type": "application/json", "Host": host})
            signer.add_auth(request)
            head = f"POST /recommendations HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n" + "".join(
                f"{name}: {value}\r\n" for name, value in request.headers.items() if name != "Host") + "\r\n"
            text = (head + body).encode()
            file.write(f"{len(text)}\n".encode() + text + b"\n")


def prepare(shop):
    write_items(shop.bucket / "items.csv", 10_000)
    write_interactions(shop.bucket / "interactions.csv", 5_000, 10_000, 200_000)
    shop.make_group()
    shop.load(shop.add_dataset("ITEMS", ITEMS), "items.csv", "items")
    shop.load(shop.add_dataset("INTERACTIONS", INTERACTIONS), "interactions.csv", "interactions")
    version, _ = shop.train("aws-user-personalization", "bench")
    campaign = shop.deploy(version, "bench")
    chosen = shop.control.create_filter(
        name="bench", datasetGroupArn=shop.group, filterExpression="EXCLUDE ItemID WHERE Items.CATEGORY IN ($C)")["filterArn"]
    tracker = shop.control.create_event_tracker(name="bench", datasetGroupArn=shop.group)["trackingId"]
    return campaign, chosen, tracker


def measure(case, pids):
    before = cpu_nanoseconds(pids)
    result = run_wrk(case["url"], SECONDS, case.get("script"))
    result["cpu"] = (cpu_nanoseconds(pids) - before) / 1000 / max(1, result["requests"])
    return result


def main():
    with tempfile.TemporaryDirectory(prefix="tmkb-") as folder, Shop() as shop:
        os.chmod(folder, 0o755)
        floor = Floor(folder)
        try:
            campaign, chosen, tracker = prepare(shop)
            signed_file(f"{folder}/signed", shop, campaign, chosen)
            os.environ |= {"SIGNED": f"{folder}/signed", "TRACKER_KEY": tracker, "TRACKER_ORIGIN": shop.product.url,
                           "BENCHMARKS": str(ROOT / "Benchmarks")}
            cases = {
                "floor": {"url": floor.url}, "floor again": {"url": floor.url},
                "health": {"url": shop.product.url + "/health/live"},
                "recommend": {"url": shop.product.url + "/recommendations", "script": ROOT / "Benchmarks/signed.lua"},
                "event": {"url": shop.product.url + "/e", "script": ROOT / "Benchmarks/events.lua"},
            }
            rounds = []
            for number in range(ROUNDS + 1):
                results = {}
                for name, case in cases.items():
                    pids = floor.pids() if name.startswith("floor") else list(children(shop.product.process.pid))
                    results[name] = measure(case, pids)
                if number > 0:  # the first warms up
                    rounds.append(results)
                print(f"round {number}: " + ", ".join(f"{name} {result['cpu']:.0f} µs" for name, result in results.items()), file=sys.stderr)
            show(rounds, cases)
            batched(shop)
        finally:
            floor.stop()


def show(rounds, cases):
    print("| case | CPU µs/request | CPU ratio min / median / max | requests/s | p50 µs | p99 µs | errors |\n| --- | --- | --- | --- | --- | --- | --- |")
    for name in cases:
        ratios = sorted(r[name]["cpu"] / r["floor"]["cpu"] for r in rounds)
        print(f"| {name} | {middle([r[name]['cpu'] for r in rounds]):.1f} | {ratios[0]:.2f} / {middle(ratios):.2f} / {ratios[-1]:.2f} "
              f"| {middle([r[name]['rate'] for r in rounds]):.0f} | {middle([r[name]['p50'] for r in rounds]):.0f} "
              f"| {middle([r[name]['p99'] for r in rounds]):.0f} | {sum(r[name]['errors'] for r in rounds):.0f} |")


def batched(shop):
    os.environ["EVENTS"] = "10"
    result = run_wrk(shop.product.url + "/e", SECONDS * 2, ROOT / "Benchmarks/events.lua")
    print(f"\nEvents stored durably, ten a request: {result['rate'] * 10:.0f} a second (p99 {result['p99']:.0f} µs, errors {result['errors']:.0f}).")


if __name__ == "__main__":
    main()
