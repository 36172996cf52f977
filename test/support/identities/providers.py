"""Providers of short-lived credentials, scripted: each checks what it is asked, as the real one does, and may fail.

All of them answer the request of a pod's identity: an assertion (a JWT) that one of their issuers signed. `fault` is set by a
test: (status line, body) to answer everything with, or None.
"""
import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.parse
import urllib.request

from ..scripted import ScriptedServer

FORM = "application/x-www-form-urlencoded"


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def make_jwt(audience, lives=3600, issued=0, key=b"issuer", now=None):
    """The projected token of a service account: for `audience`, issued `issued` seconds from now, for `lives` seconds."""
    now = time.time() if now is None else now
    claims = {"aud": [audience], "iat": int(now + issued), "nbf": int(now + issued), "exp": int(now + issued + lives),
              "sub": "system:serviceaccount:weir:weir"}
    text = ".".join(_base64url(json.dumps(part).encode()) for part in ({"alg": "HS256"}, claims))
    return f"{text}.{_base64url(hmac.digest(key, text.encode(), hashlib.sha256))}"


def jwt_problem(token, audience, key=b"issuer"):
    """Why a provider refuses an assertion; "" for a good one."""
    text, _, signature = token.rpartition(".")
    if _base64url(hmac.digest(key, text.encode(), hashlib.sha256)) != signature:
        return "the signature is not valid"
    payload = text.partition(".")[2]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if audience not in claims["aud"]:
        return "Incorrect token audience"
    now = time.time()
    if not claims["nbf"] <= now < claims["exp"]:
        return f"expired: current date/time {int(now)} must be before the expiration date/time {claims['exp']}"
    return ""


class IdentityServer:
    """A provider on a loopback port. `granted` counts what it gave; a token's life is `lives` seconds."""

    def __init__(self, lives=3600):
        self.lives = lives
        self.fault = None
        self.granted = 0
        self.server = ScriptedServer(self._play)

    def start(self):
        self.server.start()
        self.url = self.server.url
        return self

    def stop(self):
        self.server.stop()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def requests(self):
        return self.server.requests

    def token(self, number=None):
        """The last token, or that of `number` (from 1)."""
        return f"{type(self).__name__.lower()}-token-{number or self.granted}"

    def _play(self, turn):
        if self.fault is not None:
            status, body = self.fault
            turn.answer(body, status)
            return
        problem = self.problem(turn.request)
        if problem:
            self.refuse(turn, *problem)
            return
        self.granted += 1
        self.grant(turn)

    def grant(self, turn):
        turn.answer(json.dumps({"access_token": self.token(), "token_type": "Bearer", "expires_in": self.lives}))

    def refuse(self, turn, status, code, text):
        turn.answer(json.dumps({"error": code, "error_description": text}), status)


class OAuth2Server(IdentityServer):
    """Client credentials with a secret in the header or the body, or with an assertion."""

    def __init__(self, client="weir", secret="correct horse&+%", scope="read", audience="prom", **options):
        super().__init__(**options)
        self.client, self.secret, self.scope, self.audience = client, secret, scope, audience

    def problem(self, request):
        form = dict(urllib.parse.parse_qsl(request.body, keep_blank_values=True))
        if (request.method, request.target, request.headers.get("content-type")) != ("POST", "/token", FORM):
            return "400 Bad Request", "invalid_request", "no form for /token"
        if form.get("grant_type") != "client_credentials":
            return "400 Bad Request", "unsupported_grant_type", form.get("grant_type", "none")
        if "client_assertion" in form:
            bad = jwt_problem(form["client_assertion"], self.audience)
            is_client = not bad
        elif "client_secret" in form:
            is_client = (form.get("client_id"), form["client_secret"]) == (self.client, self.secret)
        else:
            login = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
            is_client = tuple(map(urllib.parse.unquote, login.split(":", 1))) == (self.client, self.secret)
        if not is_client:
            return "401 Unauthorized", "invalid_client", "Client authentication failed"
        if form.get("scope") != self.scope:
            return "400 Bad Request", "invalid_scope", f"unknown scope {form.get('scope')}"
        if form.get("audience", self.audience) != self.audience:
            return "403 Forbidden", "access_denied", f"Service not enabled within domain: {form['audience']}"
        return None


class EntraServer(IdentityServer):
    """Workload identity of Entra ID, in a tenant."""
    TENANT, CLIENT = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
    SCOPE = "https://prometheus.monitor.azure.com/.default"
    AUDIENCE = "api://AzureADTokenExchange"

    def problem(self, request):
        form = dict(urllib.parse.parse_qsl(request.body, keep_blank_values=True))
        if (request.method, request.target) != ("POST", f"/{self.TENANT}/oauth2/v2.0/token"):
            return "400 Bad Request", "invalid_request", "AADSTS90002: Tenant not found."
        expected = {"grant_type": "client_credentials", "client_id": self.CLIENT, "scope": self.SCOPE,
                    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
        for name, value in expected.items():
            if form.get(name) != value:
                return "400 Bad Request", "invalid_request", f"AADSTS900144: {name} is {form.get(name)}"
        bad = jwt_problem(form.get("client_assertion", "."), self.AUDIENCE)
        if bad.startswith("expired"):
            now = time.strftime("%Y-%m-%dT%H:%M:%S.0000000Z", time.gmtime())
            return ("401 Unauthorized", "invalid_client", "AADSTS700024: Client assertion is not within its valid time "
                    f"range. Current time: {now}, assertion valid from x, expiry time of assertion y.")
        if bad:
            return "401 Unauthorized", "invalid_client", "AADSTS700212: No matching federated identity record found."
        return None


class MetadataServer(IdentityServer):
    """Google's metadata server of a node."""
    SCOPE = "https://www.googleapis.com/auth/monitoring.read"

    def problem(self, request):
        path, _, query = request.target.partition("?")
        if request.headers.get("metadata-flavor") != "Google":
            return "403 Forbidden", "forbidden", "Missing Metadata-Flavor:Google header."
        if path != "/computeMetadata/v1/instance/service-accounts/default/token":
            return "404 Not Found", "not_found", path
        if dict(urllib.parse.parse_qsl(query)) != {"scopes": self.SCOPE}:
            return "400 Bad Request", "bad_scope", query
        return None


class GoogleStsServer(IdentityServer):
    """Google's token service, and its IAM credentials service for the account that is impersonated."""
    AUDIENCE = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x"
    ACCOUNT = "/v1/projects/-/serviceAccounts/weir@p.iam.gserviceaccount.com:generateAccessToken"

    def problem(self, request):
        if request.target == self.ACCOUNT:
            return self._problem_of_account(request)
        form = dict(urllib.parse.parse_qsl(request.body, keep_blank_values=True))
        expected = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "audience": self.AUDIENCE,
                    "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
                    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}
        for name, value in expected.items():
            if form.get(name) != value:
                return "400 Bad Request", "invalid_request", f"{name} is {form.get(name)}"
        bad = jwt_problem(form.get("subject_token", "."), self.AUDIENCE)
        return ("400 Bad Request", "invalid_grant", f"ID Token: {bad}") if bad else None

    def _problem_of_account(self, request):
        if request.headers.get("authorization") != f"Bearer {self.token()}":
            return "401 Unauthorized", "unauthenticated", "the federated token is missing"
        if json.loads(request.body)["scope"] != [MetadataServer.SCOPE]:
            return "400 Bad Request", "bad_scope", request.body
        return None

    def grant(self, turn):
        if turn.request.target != self.ACCOUNT:
            super().grant(turn)
            return
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.lives))
        turn.answer(json.dumps({"accessToken": self.token(), "expireTime": end}))


class _Keys(IdentityServer):
    """Temporary keys of AWS."""

    @property
    def keys(self):
        """Of all that were given: id -> (secret, token of the session)."""
        return {f"ASIA{number}": (f"secret/{number}+x", f"session-{number}/+==") for number in range(1, self.granted + 1)}

    def _last(self):
        key = f"ASIA{self.granted}"
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.lives))
        return (key, *self.keys[key], end)


class StsServer(_Keys):
    """AssumeRoleWithWebIdentity."""
    ROLE, AUDIENCE = "arn:aws:iam::123456789012:role/weir", "sts.amazonaws.com"

    def problem(self, request):
        form = dict(urllib.parse.parse_qsl(request.body, keep_blank_values=True))
        if (request.method, request.target, form.get("Action"), form.get("Version")) != (
                "POST", "/", "AssumeRoleWithWebIdentity", "2011-06-15") or not form.get("RoleSessionName"):
            return "400 Bad Request", "InvalidAction", str(form)
        bad = jwt_problem(form.get("WebIdentityToken", "."), self.AUDIENCE)
        if bad.startswith("expired"):
            return "400 Bad Request", "ExpiredTokenException", "Token " + bad
        if bad:
            return "400 Bad Request", "InvalidIdentityToken", bad
        if form.get("RoleArn") != self.ROLE:
            return "403 Forbidden", "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"
        return None

    def refuse(self, turn, status, code, text):
        turn.answer(f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error>"
                    "<RequestId>r</RequestId></ErrorResponse>", status, Content_Type="text/xml")

    def grant(self, turn):
        key, secret, token, end = self._last()
        turn.answer("<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
                    f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}"
                    f"</SessionToken><Expiration>{end}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
                    "</AssumeRoleWithWebIdentityResponse>", Content_Type="text/xml")


class PodIdentityAgent(_Keys):
    """The agent of EKS Pod Identity."""
    AUDIENCE = "pods.eks.amazonaws.com"

    def problem(self, request):
        if request.method != "GET" or request.target != "/v1/credentials":
            return "404 Not Found", "NotFound", request.target
        bad = jwt_problem(request.headers.get("authorization", "."), self.AUDIENCE)
        return ("400 Bad Request", "InvalidTokenException", bad) if bad else None

    def refuse(self, turn, status, code, text):
        turn.answer(f"[r]: ({code}): {text}", status)

    def grant(self, turn):
        key, secret, token, end = self._last()
        turn.answer(json.dumps({"AccessKeyId": key, "SecretAccessKey": secret, "Token": token, "AccountId": "123456789012",
                                "Expiration": end}))


def guarded(prometheus, problem, prefix=""):
    """A script that forwards to a Prometheus, without `prefix`, the requests without a `problem(request)`.

    A problem is (status line, body); None: there is none.
    """
    def forward(turn):
        request = turn.request
        refused = problem(request)
        if refused:
            turn.answer(refused[1], refused[0])
            return
        url = prometheus.url + request.target.removeprefix(prefix)
        data = request.body.encode() if request.method == "POST" else None
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data), timeout=5) as reply:
                turn.answer(reply.read())
        except urllib.error.HTTPError as error:
            turn.answer(error.read(), f"{error.code} {error.reason}")
    return forward
