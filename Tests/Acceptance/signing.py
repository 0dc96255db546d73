"""Single signed requests, whose status and headers a test can see: an SDK would hide them behind retries."""

import http.client
import json
import re
import time
import types
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class Caller:
    """One kept connection to a product, with its first key pair."""

    def __init__(self, product, timeout=30):
        self.product = product
        self.credentials = Credentials(product.value("Key id"), product.value("Secret"))
        self.timeout = timeout
        self.connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=timeout)

    def signed(self, path, body, target=None):
        """The answer to a POST; `target` names an operation of the control plane."""
        headers = {"Content-Type": "application/x-amz-json-1.1" if target else "application/json"}
        if target:
            headers["X-Amz-Target"] = f"AmazonPersonalize.{target}"
        request = AWSRequest("POST", self.product.url + path, data=json.dumps(body), headers=headers)
        SigV4Auth(self.credentials, "personalize", "us-east-1").add_auth(request)
        return self.send("POST", path, request.body, dict(request.headers))

    def send(self, method, path, body=None, headers=None):
        """Status, headers, body and seconds of one answer; status 0 for none, with the reason as its body."""
        begun = time.monotonic()
        try:
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            status, fields, content = answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.connection = http.client.HTTPConnection("127.0.0.1", self.product.port, timeout=self.timeout)
            status, fields, content = 0, {}, repr(error).encode()
        return types.SimpleNamespace(status=status, headers=fields, body=content, begun=begun, seconds=time.monotonic() - begun)


def recommend(caller, shop, user="visitor-1"):
    return caller.signed("/recommendations", {"campaignArn": shop.campaign, "userId": user, "numResults": 10})


def sign_in(caller, product):
    """The cookies of a session that the one-time password opened."""
    cookies = {}

    def send(method, path, fields=None):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        body = None
        if fields:
            hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.body.decode()))
            body = urllib.parse.urlencode({**hidden, **fields})
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": product.url}
        answer = caller.send(method, path, body, headers)
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            cookies[name] = value
        return answer

    page = send("GET", "/console/sign-in")
    assert send("POST", "/console/sign-in", {"login": "admin", "password": product.value("Password")}).status == 303
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
