"""One forge a test, each of them in turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from forges.worlds import SERVERS, World, world


@pytest.fixture(params=["github", "gitlab"])
def there(request: pytest.FixtureRequest) -> Iterator[World]:
    with world(request.param) as made:
        yield made


@pytest.fixture(params=SERVERS)
def anywhere(request: pytest.FixtureRequest) -> Iterator[World]:
    """Each forge, and GitHub on a server of one's own."""
    with world(request.param) as made:
        yield made


@pytest.fixture
def hub() -> Iterator[World]:
    with world("github") as made:
        yield made


@pytest.fixture
def lab() -> Iterator[World]:
    with world("gitlab") as made:
        yield made
