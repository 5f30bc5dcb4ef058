"""Both servers keep the whole contract, in every generation and with every habit."""

from __future__ import annotations

import pytest

from contract.brpm import HABITS, brpm
from contract.known import KNOWN
from contract.zadig import zadig
from planops.testing import Case, Check, contract

CASES: dict[str, Case] = {
    "zadig-5.0": zadig("5.0"),
    "zadig-4.1": zadig("4.1"),
    **{f"brpm-{name}": brpm(habits) for name, habits in HABITS.items()},
}


CHECKS = [
    pytest.param(
        check,
        id=f"{name}-{check.name}",
        marks=[pytest.mark.xfail(reason=KNOWN[check.name], raises=AssertionError)]
        if check.name in KNOWN
        else [],
    )
    for name, case in CASES.items()
    for check in contract(case)
]


@pytest.mark.parametrize("check", CHECKS)
def test_a_promise_is_kept(check: Check) -> None:
    check.run()
