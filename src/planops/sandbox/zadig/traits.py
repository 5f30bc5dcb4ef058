"""What tells the server's generations apart (docs/servers/zadig.md §12)."""

from dataclasses import dataclass
from typing import Literal

Generation = Literal["4.1", "5.0"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """One generation's behaviour, a flag for each difference a client can see."""

    generation: Generation
    versions: bool
    keeps_job_ids: bool
    locks: bool
    parameters: bool
    edit_flags: tuple[str, ...]
    lints_at_finish: bool
    job_managers: bool
    callback_description: bool
    always_shows_task: bool
    callback_executes: bool
    any_identity: bool
    filters_tests: bool
    service_inputs: bool
    fresh_repositories: bool
    lark_initiators: bool
    list_window: bool
    history_keys: bool

    def covers(self, since: Generation) -> bool:
        """Whether something that appeared in ``since`` is there."""
        return self.generation >= since


_FOUR_ONE = Traits(
    generation="4.1",
    versions=False,
    keeps_job_ids=False,
    locks=False,
    parameters=False,
    edit_flags=("Edit",),
    lints_at_finish=False,
    job_managers=False,
    callback_description=False,
    always_shows_task=True,
    callback_executes=False,
    any_identity=False,
    filters_tests=False,
    service_inputs=False,
    fresh_repositories=False,
    lark_initiators=False,
    list_window=False,
    history_keys=False,
)
_FIVE_ZERO = Traits(
    generation="5.0",
    versions=True,
    keeps_job_ids=True,
    locks=True,
    parameters=True,
    edit_flags=("EditMetadata", "EditApproval", "EditSubtasks"),
    lints_at_finish=True,
    job_managers=True,
    callback_description=True,
    always_shows_task=False,
    callback_executes=True,
    any_identity=True,
    filters_tests=True,
    service_inputs=True,
    fresh_repositories=True,
    lark_initiators=True,
    list_window=True,
    history_keys=True,
)


def traits_of(generation: Generation) -> Traits:
    """The behaviour of a generation."""
    return _FOUR_ONE if generation == "4.1" else _FIVE_ZERO
