"""Who the requests are from: a user who logs in again whenever a request has ended the session."""

import os

import requests
import schemathesis

BASE = os.environ["BASE"]
CREDENTIALS = {"email": os.environ["EMAIL"], "password": os.environ["PASSWORD"]}


@schemathesis.auth(refresh_interval=None)
class Login:
    token = None

    def get(self, case, context):
        headers = {"Authorization": Login.token} if Login.token else {}
        if requests.get(f"{BASE}/private", headers=headers, timeout=60).status_code != 200:
            response = requests.post(f"{BASE}/login", json=CREDENTIALS, timeout=60)
            response.raise_for_status()
            Login.token = response.headers["Authorization"]
        return Login.token

    def set(self, case, data, context):
        case.headers["Authorization"] = data
