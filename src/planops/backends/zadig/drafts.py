"""From a plan's document to the spec that a file would declare: the codec the other way round.

Only what may be written, and is not empty. What the server owns is left out, and so is every
credential; what an update could not keep is refused (docs/servers/zadig.md §5, §6, §9). Pure: who
people are, and what ids are called, is looked up before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from planops.backends.trees import Tree, rows, text, tree
from planops.backends.zadig.approval import OWNERS, pruned, voted, writable
from planops.backends.zadig.generations import Generation
from planops.backends.zadig.input_drafts import Sources, drafted_input
from planops.backends.zadig.jobs import was_done
from planops.backends.zadig.people import Account, Found
from planops.backends.zadig.references import Names
from planops.core.drafts import Draft, Notes
from planops.core.model import JSON, is_unset

TIMES = ("start_time", "end_time", "schedule_execute_time")
SETTABLE = ("string", "text", "choice")
REPO = "repo"
_LATEST = 10**11
_PICTURE = "avatar"


def accounts(documents: Iterable[Tree]) -> tuple[Account, ...]:
    """Collect the names of people that may be accounts, each once."""
    named = {(name, "") for raw in documents for name in _people(raw) if name}
    return tuple(sorted(named))


def _people(raw: Tree) -> list[str]:
    return [text(raw, "manager"), *(text(user, "user_name") for user in _users(raw))]


def _users(raw: Tree) -> list[Tree]:
    return rows(tree(tree(raw.get("approval")).get("native_approval")).get("approve_users"))


def runs_workflows(documents: Iterable[Tree]) -> bool:
    """Tell whether plans run workflows, in which ids stand for names."""
    return any(
        text(job, "type") == "workflow" for raw in documents for job in rows(raw.get("jobs"))
    )


def draft(raw: Tree, people: Found, names: Names, generation: Generation | None) -> Draft:
    """Say what a file would declare of a plan."""
    notes = Notes()
    spec: Tree = {"name": text(raw, "name"), "manager": _manager(raw, people, notes)}
    spec |= {name: _moment(raw.get(name)) for name in TIMES if raw.get(name)}
    if text(raw, "description"):
        spec["description"] = raw["description"]
    approval = _approval(raw, people, notes)
    if approval:
        spec["approval"] = approval
    sources = Sources(names=names, notes=notes, old=generation is Generation.V4_1)
    jobs: list[JSON] = [_job(job, sources) for job in rows(raw.get("jobs"))]
    if jobs:
        spec["jobs"] = jobs
    return notes.draft(spec)


def _moment(seconds: JSON) -> JSON:
    """Write a time as files do, in UTC; a number that is none stays for the schema to refuse."""
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds <= _LATEST:
        return seconds
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _manager(raw: Tree, people: Found, notes: Notes) -> str:
    """Name the manager by account: the server may hold a display name instead (§5.2)."""
    held, uid = text(raw, "manager"), text(raw, "manager_id")
    who = people.get((held, ""))
    if who is None and held:
        notes.notices.append(
            f"the token may not look up users, so that {held} may be a display name; see that it"
            " is the manager's account"
        )
    elif not who or [person.uid for person in who] != [uid]:
        notes.refusals.append(
            f"the server shows {held!r} as the manager, which is not the account of the user"
            f" {uid or 'that it means'}; name the manager's account there"
        )
    return held


def _approval(raw: Tree, people: Found, notes: Notes) -> Tree:
    """The approval with the block that its type uses; one that is switched off is not managed."""
    held = tree(writable(raw.get("approval")))
    kind = text(held, "type")
    if not held.get("enabled"):
        if not is_unset(held):
            notes.notices.append("its approval is switched off, and left out; it stays as it is")
        return {}
    body: Tree = {"enabled": True, "type": kind}
    if held.get("description"):
        body["description"] = held["description"]
    for name, kinds in OWNERS.items():
        if kind in kinds:
            body[name] = _shown(pruned(held.get(name)))
    native = tree(body.get("native_approval"))
    if native:
        users: list[JSON] = [_approver(user, people) for user in rows(native.get("approve_users"))]
        body["native_approval"] = native | {"approve_users": users}
    if kind == "native" and voted(raw.get("approval")):
        notes.notices.append(
            "a vote was given, and with the first one Zadig replaces groups of approvers by their"
            " members: approve_users are those of now"
        )
    return body


def _shown(value: JSON) -> JSON:
    """Leave pictures out; names stay, so that people can read the file."""
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, dict):
        return {name: _shown(sub) for name, sub in value.items() if name != _PICTURE}
    return value


def _approver(user: Tree, people: Found) -> JSON:
    """Name an approver by account where that is theirs, else by id (§8.5)."""
    if text(user, "type") not in ("", "user"):
        return user
    name, uid = text(user, "user_name"), text(user, "user_id")
    who: Sequence[object] = people.get((name, "")) or ()
    if [getattr(person, "uid", "") for person in who] == [uid]:
        return {"account": name}
    by_id: Tree = {"user_id": uid}
    return by_id if who or not name else by_id | {"user_name": name}


def _job(job: Tree, sources: Sources) -> JSON:
    kind, spec = text(job, "type"), tree(job.get("spec"))
    if kind == "workflow":
        declared = _workflow(job, tree(spec.get("workflow")), sources)
    else:
        declared = {name: spec[name] for name in ("content", "remark") if spec.get(name)}
        if was_done(job):  # the executor's remark is not the file's (§5)
            declared.pop("remark", None)
    head: Tree = {"name": text(job, "name"), "type": kind}
    return head | {"spec": declared} if declared else head


def _workflow(job: Tree, workflow: Tree, sources: Sources) -> Tree:
    at = f"job {text(job, 'name')}"
    declared: Tree = {"workflow_key": text(workflow, "name")}
    if text(workflow, "project"):
        declared["project_key"] = workflow["project"]
    if workflow.get("remark") and not was_done(job):
        declared["remark"] = workflow["remark"]
    found = [_variable(param, at, sources) for param in rows(workflow.get("params"))]
    parameters: list[JSON] = [param for param in found if param]
    if parameters:
        declared["parameters"] = parameters
    running = [
        item
        for stage in rows(workflow.get("stages"))
        for item in rows(stage.get("jobs"))
        if not item.get("skipped")
    ]
    inputs: list[JSON] = [drafted_input(item, at, sources) for item in running]
    if inputs:
        declared["inputs"] = inputs
    return declared


def _variable(param: Tree, at: str, sources: Sources) -> JSON:
    """A variable of the workflow that holds something; an update keeps those of no file (§9.3)."""
    name, kind, value = text(param, "name"), text(param, "type"), param.get("value")
    if sources.old:
        return None
    if param.get("is_credential"):
        if value:
            sources.secret(f"variable {name} of {at}", "updates keep it")
        return None
    if kind in SETTABLE and value not in (None, "", param.get("default")):
        return {"name": name, "type": kind, "value": value}
    repo = tree(param.get("repo"))
    if kind != REPO or not (repo.get("branch") or repo.get("prs")):
        return None
    found = sources.repository(repo, f"variable {name} of {at}")
    kept = ("codehost_name", "repo_namespace", "repo_name", "branch", "prs")
    return {"name": name, "type": kind, "repo": {key: found[key] for key in kept if key in found}}
