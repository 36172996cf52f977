"""A server's side of AWS' Signature Version 4, on its own: hashlib and hmac, from the documentation of AWS."""
import hashlib
import hmac
import re
import time
import urllib.parse
from calendar import timegm

_AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<scope>[^,]+), SignedHeaders=(?P<headers>[^,]+), "
                            r"Signature=(?P<signature>[0-9a-f]{64})")
MAX_SKEW_SECONDS = 300


def _quoted(text):
    return urllib.parse.quote(text, safe="-._~")


def _canonical_query(query):
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    encoded = ((_quoted(urllib.parse.unquote(name)), _quoted(urllib.parse.unquote(value))) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def _time_text(seconds):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def signature_problem(request, keys, region, service, now=None):
    """What AWS would refuse of a recorded request, in its words; "" for a good one.

    keys  id of an access key -> (secret, token of its session or None)
    """
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if match is None:
        return "Missing Authentication Token"
    if match["id"] not in keys:
        return "The security token included in the request is invalid."
    secret, token = keys[match["id"]]
    if request.headers.get("x-amz-security-token") != token:
        return "The security token included in the request is invalid."
    date = request.headers.get("x-amz-date", "")
    if match["scope"] != f"{date[:8]}/{region}/{service}/aws4_request":
        return f"Credential should be scoped to a valid region. {match['scope']}"
    now = time.time() if now is None else now
    signed_at = timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))
    if abs(now - signed_at) > MAX_SKEW_SECONDS:
        if signed_at < now:
            return (f"Signature expired: {date} is now earlier than {_time_text(now - MAX_SKEW_SECONDS)} "
                    f"({_time_text(now)} - 5 min.)")
        return (f"Signature not yet current: {date} is still later than {_time_text(now + MAX_SKEW_SECONDS)} "
                f"({_time_text(now)} + 5 min.)")
    names = match["headers"].split(";")
    required = {"host", "x-amz-date"} | ({"x-amz-security-token"} if token else set())
    if names != sorted(names) or not required <= set(names):
        return f"SignedHeaders must be sorted and have {sorted(required)}: {names}"
    path, _, query = request.target.partition("?")
    canonical = "\n".join([
        request.method, urllib.parse.quote(path, safe="/-._~"), _canonical_query(query),
        *(f"{name}:{' '.join(request.headers[name].split())}" for name in names), "", ";".join(names),
        hashlib.sha256(request.body.encode()).hexdigest()])
    key = b"AWS4" + secret.encode()
    for part in (date[:8], region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = "\n".join(["AWS4-HMAC-SHA256", date, match["scope"], hashlib.sha256(canonical.encode()).hexdigest()])
    if hmac.new(key, text.encode(), "sha256").hexdigest() != match["signature"]:
        return "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."
    return ""
