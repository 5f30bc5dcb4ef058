"""``planops review``: two commits against one observation."""

from __future__ import annotations

import pytest

from cli.adopting import ledger_of
from cli.place import TEXT, Place
from planops.core.report import ExitCode

SETTINGS = """\
apiVersion: planops/v1
kind: Config
plans: [plans/**/*.yaml]
targets:
  prod:
    backend: zadig
    url: {url}
    token: ${{env:ZADIG_TOKEN}}
    ledger: {{mode: local}}
"""


@pytest.fixture
def kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A repository with two applied plans, and a branch that is to be merged."""
    monkeypatch.setenv("PLANOPS_SECRETS", "ZADIG_TOKEN")
    place.write("planops.yaml", SETTINGS.format(url=place.url))
    place.plan(description="one", jobs=[TEXT])
    place.plan("other", description="one", jobs=[TEXT])
    place.commit()
    place.git("branch", "--move", "main")
    assert place.planops("apply", "--yes").code == ExitCode.OK
    place.git("checkout", "--quiet", "-b", "feature")
    return place


def test_show(kept: Place) -> None:
    import json
    kept.plan(description="two", jobs=[TEXT])
    kept.commit()
    kept.git("checkout", "--quiet", "main")
    a = kept.planops("review", "--base", "main", "--head", "feature")
    b = kept.json("review", "--base", "main", "--head", "feature")
    print(a.both, json.dumps(b.json["changes"], indent=1)[:5000], json.dumps(b.json["review"], indent=1), b.err)
    assert 0
