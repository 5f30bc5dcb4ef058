"""Where in a file a delta is declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planops.core.model import Source
from planops.manifests import schemas
from planops.manifests.places import read
from planops.manifests.trees import WorkTree

PLAN = """\
# Two documents; the second is asked about.
apiVersion: planops/v1
kind: ZadigReleasePlan
metadata: {name: first}
spec: {name: First, manager: patrick}
---
apiVersion: planops/v1
kind: ZadigReleasePlan
metadata: {name: second}
spec:
  name: Second
  manager: patrick
  approval:
    enabled: true
    type: native
    native_approval:
      needed_approvers: 1
      approve_users:
        - account: alice
        - user_id: u1
        - {type: user, user_id: u2}
        - {type: group, group_id: g1}
  jobs:
    - name: a/b~c
      type: text
      spec:
        content: |
          Hello
    - type: workflow
      name: Deploy
      spec:
        workflow_key: deploy
        inputs:
          - job_name: build
            parameters: {list: [{x: 1}, {y: [2]}]}
state: planning
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "a.yaml").write_text(PLAN)
    return tmp_path


def at(root: Path, path: str, document: int = 1) -> str:
    shape: Any = schemas.shape("ZadigReleasePlan")
    source = Source(file="a.yaml", document=document, line=1)
    return str(read(WorkTree(root=root), source, shape).mark(path))


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("", "7:1"),
        ("/spec", "10:1"),
        ("/spec/name", "11:3"),
        ("/state", "36:1"),
        ("/metadata/name", "9:12"),
        ("/spec/approval/native_approval/approve_users/user:u1", "20:11"),
        ("/spec/approval/native_approval/approve_users/user:u2", "21:11"),
        ("/spec/approval/native_approval/approve_users/user:u2/user_id", "21:24"),
        ("/spec/approval/native_approval/approve_users/group:g1", "22:11"),
        ("/spec/approval/native_approval/approve_users/user:unknown", "18:7"),
        ("/spec/approval/native_approval/timeout", "16:5"),
        ("/spec/jobs", "23:3"),
        ("/spec/jobs/text:a~1b~0c", "24:7"),
        ("/spec/jobs/text:a~1b~0c/spec/content", "27:9"),
        ("/spec/jobs/text:a~1b~0c/spec/remark", "26:7"),
        ("/spec/jobs/workflow:Deploy/spec/inputs/build", "34:13"),
        ("/spec/jobs/workflow:Deploy/spec/inputs/build/parameters/list/1/y/0", "35:46"),
        ("/spec/jobs/workflow:Deploy/spec/inputs/build/parameters/list/7", "35:26"),
        ("/spec/jobs/workflow:Other/spec", "23:3"),
        ("/spec/start_time", "10:1"),
        ("/labels", "7:1"),
        ("nonsense", "7:1"),
    ],
)
def test_a_delta_path_is_found_in_the_file(file: Path, path: str, place: str) -> None:
    assert at(file, path) == f"a.yaml:{place}"


def test_the_document_counts(file: Path) -> None:
    assert at(file, "/spec/name", document=0) == "a.yaml:5:8"
    assert at(file, "/spec/name", document=2) == "None"


def test_a_file_that_is_gone_has_no_places(tmp_path: Path) -> None:
    assert at(tmp_path, "/spec/name") == "None"


def lines(root: Path, path: str, document: int = 1) -> list[int]:
    shape: Any = schemas.shape("ZadigReleasePlan")
    places = read(WorkTree(root=root), Source(file="a.yaml", document=document, line=1), shape)
    return list(places.lines(path))


@pytest.mark.parametrize(
    ("path", "first", "last"),
    [
        ("/spec/name", 11, 11),
        ("/spec/approval", 13, 22),
        ("/spec/approval/native_approval/approve_users/user:u2", 21, 21),
        ("/spec/jobs", 23, 35),
        ("/spec/jobs/text:a~1b~0c", 24, 28),
        ("/spec/jobs/text:a~1b~0c/spec/content", 27, 28),
        ("/spec/jobs/workflow:Deploy/spec/inputs", 33, 35),
        ("/spec/jobs/workflow:Deploy/spec/inputs/build/parameters/list/1/y/0", 35, 35),
        ("/state", 36, 36),
    ],
)
def test_a_value_takes_up_lines(file: Path, path: str, first: int, last: int) -> None:
    assert lines(file, path) == list(range(first, last + 1))


@pytest.mark.parametrize(
    ("path", "first", "last"),
    [
        ("/spec/approval/native_approval/timeout", 16, 22),
        ("/spec/approval/native_approval/approve_users/user:u2/user_name", 21, 21),
        ("/spec/jobs/workflow:Deploy/spec/inputs/build/parameters/list/7", 35, 35),
    ],
)
def test_what_was_filled_in_takes_up_the_lines_that_it_was_filled_in_to(
    file: Path, path: str, first: int, last: int
) -> None:
    assert lines(file, path) == list(range(first, last + 1))


@pytest.mark.parametrize("path", ["/spec/start_time", "/spec/start_time/x", "/labels"])
def test_what_is_in_no_field_of_the_file_takes_up_none(file: Path, path: str) -> None:
    assert lines(file, path) == []


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("a: 1\nb: 2\n", 1),
        ("a: 1", 1),
        ("a: |\n  x\n\n  y\nb: 2\n", 4),
        ("a: >-\n  x\n  y\n", 3),
        ("a: |\n  x", 2),
        ("a: 'x\n  y'\nb: 2\n", 2),
        ("a: x\n  y\nb: 2\n", 2),
        ("a:\nb: 2\n", 1),
        ("a:\n- 1\n- 2\n# of b\nb: 2\n", 3),
        ("a: [1,\n  2,\n  3\n]\nb: 2\n", 3),
        ("a:\r\n  - x\r\n  - y\r\nb: 2\r\n", 3),
    ],
)
def test_a_values_last_line_is_its_own(tmp_path: Path, text: str, last: int) -> None:
    (tmp_path / "a.yaml").write_bytes(text.encode())
    assert lines(tmp_path, "/a", document=0) == list(range(1, last + 1))


def test_a_file_that_is_gone_has_no_lines(tmp_path: Path) -> None:
    assert lines(tmp_path, "/spec/name") == []
