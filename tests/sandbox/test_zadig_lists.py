"""The system's lists by which names are turned into ids (docs/servers/zadig.md §8.8, §8.9)."""

from collections.abc import Iterator

import pytest

from planops.sandbox.zadig.visitor import Visitor, visiting

HOSTS = "GET /api/aslan/code/codehost"
DATABASES = "GET /api/aslan/system/dbinstance"


@pytest.fixture(params=["5.0", "4.1"])
def zadig(request: pytest.FixtureRequest) -> Iterator[Visitor]:
    with visiting(request.param) as visitor:
        yield visitor


def test_code_hosts_are_listed_for_anybody_with_their_secrets_masked(zadig: Visitor) -> None:
    zadig.sandbox.permit("bob", [])
    hosts = zadig.call(HOSTS, who="bob").json
    assert [(host["id"], host["alias"], host["type"]) for host in hosts] == [
        (1, "gitlab", "gitlab"),
        (2, "github", "github"),
        (3, "depot", "perforce"),
    ]
    secrets = ("access_token", "application_id", "client_secret")
    assert {host[name] for host in hosts for name in secrets} == {"********"}
    assert zadig.call(HOSTS, who=None).status == 401


def test_databases_are_listed_for_whoever_may_view_them_without_passwords(zadig: Visitor) -> None:
    zadig.sandbox.permit("bob", [])
    refused = zadig.call(DATABASES, who="bob")
    assert (refused.status, refused.body) == (403, b"")
    for who in ("admin", "bob"):
        zadig.sandbox.permit("bob", ["DatabaseView"])
        rows = zadig.call(DATABASES, who=who).json
        assert [(row["name"], row["password"]) for row in rows] == [("orders", ""), ("stock", "")]
