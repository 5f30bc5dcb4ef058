"""The settings, ``planops.yaml``: found, checked, typed.

A secret is only named here; :func:`secret` reads it, when a server is to be called and not before.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from planops.core import refs
from planops.core.model import JSON, Problem
from planops.errors import SettingsWrong
from planops.manifests import files, schemas
from planops.manifests.explain import explain, rest
from planops.manifests.findings import Finding, place, problems
from planops.manifests.wording import code, plain
from planops.manifests.yaml import parse, spots

NAME: Final = "planops.yaml"
_REFERENCE = re.compile(r"\$\{(env|file):([^{}]+)\}")
_MAX_SECRET: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long a server may take, in seconds."""

    connect: float = 5.0
    read: float = 60.0
    total: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one run may change: a percentage, which does not count up to a floor; deletions."""

    mass_change: int = 30
    mass_change_floor: int = 5
    delete: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Where what was applied is recorded; ``lease`` and ``timeout`` are in seconds."""

    mode: str = "none"
    remote: str = "origin"
    ref: str = ""
    lease: int = 300
    timeout: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A named server. ``token`` is a reference for :func:`secret`, never the secret."""

    name: str
    backend: str
    url: str
    token: str
    concurrency: int = 8
    ca_file: Path | None = None
    adopt_by_name: bool = False
    version: str | None = None
    lifecycle: Mapping[str, Any] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    drift: str = "safe"
    timeouts: Timeouts = field(default_factory=Timeouts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings; ``root`` is the folder that holds them, from which paths are meant.

    ``coming`` names the targets of settings that are used once a pull request is merged.
    """

    path: Path
    root: Path
    plans: tuple[str, ...]
    targets: Mapping[str, Target]
    limits: Limits = field(default_factory=Limits)
    coming: frozenset[str] = frozenset()


def find_config(start: Path) -> Path:
    """Find the settings in a folder or above it, never past the repository's root.

    Raises:
        SettingsWrong: there are none.
    """
    here = start.resolve()
    folder = here if here.is_dir() else here.parent
    for candidate in (folder, *folder.parents):
        if (candidate / NAME).is_file():
            return candidate / NAME
        if (candidate / ".git").exists():
            raise SettingsWrong(
                f"{folder}: no {NAME} here or above, up to the repository's root {candidate};"
                " `planops init` writes one"
            )
    raise SettingsWrong(f"{folder}: no {NAME} here or above; `planops init` writes one")


def load_config(path: Path) -> Config:
    """Read the settings.

    Raises:
        SettingsWrong: they cannot be used; the message is the first problem and how many follow.
    """
    return usable(*check_config(path))


def usable(config: Config | None, found: Sequence[Problem]) -> Config:
    """Give settings that can be used.

    Raises:
        SettingsWrong: they cannot; the message is the first problem and how many follow.
    """
    if config is not None:
        return config
    first = found[0]
    others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    where = f"{first.mark}: " if first.mark else ""
    hint = f"; {first.hint}" if first.hint else ""
    raise SettingsWrong(f"{where}{first.message}{hint}{others}")


def check_config(path: Path) -> tuple[Config | None, tuple[Problem, ...]]:
    """Read the settings, or say everything that is wrong with them."""
    data = files.read(path.parent, path.name)
    return (None, (data,)) if isinstance(data, Problem) else check_text(path, data)


def check_text(path: Path, data: bytes) -> tuple[Config | None, tuple[Problem, ...]]:
    """Read what the settings hold, or held in some commit; ``path`` is where they are."""
    parsed = parse(data, path.name)
    wrong = list(parsed.problems)
    if not wrong and len(parsed.documents) != 1:
        message = f"the settings are one document, not {len(parsed.documents)}"
        wrong = [files.file_problem(path.name, "documents", message, "keep one")]
    for document in parsed.documents[:1]:
        found = _check(document.value, data, document.index, path.name)
        wrong += [each for each in found if each.mark not in {known.mark for known in wrong}]
        if not wrong and isinstance(document.value, dict):
            return _config(path, document.value), ()
    return None, tuple(sorted(wrong, key=place))


def _check(value: JSON, data: bytes, index: int, file: str) -> list[Problem]:
    places = spots(data).get(index, {}) if not schemas.accepts(schemas.CONFIG, value) else None
    found = explain(schemas.CONFIG, value, places) if places is not None else []
    known = {finding.path for finding in found}
    found += [finding for finding in _rules(value) if finding.path not in known]
    if places is not None and not found:
        found += rest(schemas.CONFIG, value)
    if not found:
        return []
    return problems(found, places if places is not None else spots(data).get(index, {}), file, None)


def _rules(value: JSON) -> Iterator[Finding]:
    if not isinstance(value, dict):
        return
    globs: Any = value.get("plans")
    for index, glob in enumerate(globs) if isinstance(globs, list) else ():
        pieces = glob.split("/") if isinstance(glob, str) else []
        if ".." in pieces or (pieces and not pieces[0]):
            yield Finding(
                path=("plans", index),
                code="outside",
                message=f"the glob {code(str(glob))} leaves the repository",
                hint=f"write it relative to {NAME}, without `..`",
            )
    targets: Any = value.get("targets")
    for name, target in targets.items() if isinstance(targets, dict) else ():
        if isinstance(target, dict):
            yield from _target_rules(("targets", name), target)
    yield from _shared_ledgers(targets if isinstance(targets, dict) else {})


def _shared_ledgers(targets: Mapping[str, Any]) -> Iterator[Finding]:
    """Find ledgers that two targets would write over each other's lease in."""
    first: dict[tuple[str, str], str] = {}
    for name, target in targets.items():
        ledger = target.get("ledger") if isinstance(target, dict) else None
        if not isinstance(ledger, dict) or ledger.get("mode", "none") == "none":
            continue
        remote = ledger.get("remote", "origin") if ledger["mode"] == "git" else ""
        place = (str(remote), str(ledger.get("ref", _ref_of(name))))
        other = first.setdefault(place, name)
        if other != name:
            yield Finding(
                path=("targets", name, "ledger"),
                code="shared-ledger",
                message=f"the ref {code(place[1])} is the ledger of {code(other)} already",
                hint="name another by `ref`, such as " + _ref_of(name),
            )


def _target_rules(path: tuple[str, ...], target: Mapping[str, Any]) -> Iterator[Finding]:
    url = target.get("url")
    wrong = _wrong_url(url) if isinstance(url, str) and url else None
    if wrong is not None:
        yield Finding(path=(*path, "url"), code="url", message=wrong[0], hint=wrong[1])
    yield from _of_other_backend(path, target)
    ledger = target.get("ledger")
    if isinstance(ledger, dict):
        yield from _ledger_rules((*path, "ledger"), path[-1], ledger)
    for key in ("concurrency",):
        if isinstance(target.get(key), float):
            message = f"{code(key)} is {target[key]}, where a whole number is wanted"
            hint = f"write {int(target[key])}"
            yield Finding(path=(*path, key), code="wrong-type", message=message, hint=hint)


def _ledger_rules(path: tuple[str, ...], name: str, ledger: Mapping[str, Any]) -> Iterator[Finding]:
    """A name that git would refuse is said here, and not by the first run."""
    ref = ledger.get("ref", _ref_of(name))
    if not isinstance(ref, str) or refs.can_hold(ref):
        return
    if "ref" in ledger:
        message = f"`ref` is {code(ref)}, and git can keep no ledger there"
        hint = "write a whole ref of two levels or more, such as refs/planops/ledger/zadig-prod"
        yield Finding(path=(*path, "ref"), code="ref", message=message, hint=hint)
    elif ledger.get("mode", "none") != "none":
        message = f"the target's name makes the ref {code(ref)}, and git can keep no ledger there"
        hint = "name another by `ref`, such as refs/planops/ledger/zadig-prod"
        yield Finding(path=path, code="ref", message=message, hint=hint)


_ONLY: Final = {"version": "zadig", "lifecycle": "brpm"}
"""Settings of one kind of server."""


def _of_other_backend(path: tuple[str, ...], target: Mapping[str, Any]) -> Iterator[Finding]:
    for key, backend in _ONLY.items():
        if (
            key in target
            and target.get("backend") in _ONLY.values()
            and target["backend"] != backend
        ):
            yield Finding(
                path=(*path, key),
                code="other-backend",
                message=f"{code(key)} is for {backend} servers, and this is a {target['backend']}",
                hint="remove it",
                on_key=True,
            )


def _wrong_url(url: str) -> tuple[str, str] | None:
    """Say what is wrong with a server's address; it is quoted only where it holds no password."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "`url` is no address", "write https://HOST or https://HOST/PATH"
    if parts.username is not None or parts.password is not None:
        return "`url` holds a user or a password", "remove it; `token` names the secret"
    if parts.scheme not in ("https", "http") or not host or port == 0 or not url.isprintable():
        return "`url` is no https address", "write https://HOST or https://HOST/PATH"
    if parts.query or parts.fragment or " " in url:
        return "`url` has more than a host and a path", "remove the rest"
    if parts.scheme == "http" and not _is_loopback(host):
        return f"`url` is {code(url)}: http would show the token to the network", "write https"
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _config(path: Path, value: Mapping[str, Any]) -> Config:
    limits = value.get("limits", {})
    return Config(
        path=path,
        root=path.parent,
        plans=tuple(value["plans"]),
        limits=Limits(
            mass_change=int(limits.get("mass-change", "30%").removesuffix("%")),
            mass_change_floor=int(limits.get("mass-change-floor", 5)),
            delete=int(limits.get("delete", 3)),
        ),
        targets={
            name: _target(name, target, path.parent) for name, target in value["targets"].items()
        },
    )


def _target(name: str, value: Mapping[str, Any], root: Path) -> Target:
    given = {key: float(seconds) for key, seconds in value.get("timeouts", {}).items()}
    return Target(
        name=name,
        backend=value["backend"],
        url=value["url"].rstrip("/"),
        token=value["token"],
        concurrency=int(value.get("concurrency", 8)),
        ca_file=root / value["ca-file"] if "ca-file" in value else None,
        adopt_by_name=value.get("adopt-by-name", False),
        version=value.get("version"),
        lifecycle=value.get("lifecycle", {}),
        ledger=_ledger(name, value.get("ledger", {})),
        drift=value.get("drift", "safe"),
        timeouts=Timeouts(**given),
    )


def _ledger(name: str, value: Mapping[str, Any]) -> Ledger:
    return Ledger(
        mode=value.get("mode", "none"),
        remote=value.get("remote", "origin"),
        ref=value.get("ref", _ref_of(name)),
        lease=int(value.get("lease", 300)),
        timeout=float(value.get("timeout", 60)),
    )


def _ref_of(target: str) -> str:
    """Give the ref of a target's ledger, where none is named."""
    return f"refs/planops/ledger/{target}"


def named_by(reference: str) -> tuple[str, str]:
    """Say what a reference to a secret names: ``env`` or ``file``, and the variable or the path.

    Raises:
        SettingsWrong: it is no such reference. The message never holds it.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise SettingsWrong("a secret is named by ${env:NAME} or ${file:PATH}, not written down")
    return match[1], match[2]


def secret(reference: str, environ: Mapping[str, str], root: Path | None = None) -> str:
    """Read what ``${env:NAME}`` or ``${file:PATH}`` names; a relative path is from ``root``.

    Raises:
        SettingsWrong: it is not there, empty, or no single line. The message never holds it.
    """
    kind, name = named_by(reference)
    if kind == "env":
        value = environ.get(name)
        if value is None:
            raise SettingsWrong(f"{reference}: the variable {name} is not set; export {name}=…")
    else:
        value = _secret_file(reference, (root or Path()) / name)
    value = value.strip()
    if not value:
        raise SettingsWrong(f"{reference}: it is empty; put the secret there")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise SettingsWrong(
            f"{reference}: it is not one line of printable ASCII; check what it holds"
        )
    return value


def _secret_file(reference: str, path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_MAX_SECRET).decode("utf-8")
    except OSError as error:
        why = plain(error.strerror or "it cannot be read")
        raise SettingsWrong(f"{reference}: {why}; check the path and its rights") from None
    except ValueError:
        raise SettingsWrong(f"{reference}: it is no text; check what it holds") from None
