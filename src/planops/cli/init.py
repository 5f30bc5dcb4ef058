"""``planops init``: the files that a repository of plans starts with."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

import planops
from planops.cli import options
from planops.cli.interrupts import Interrupts
from planops.cli.output import write_out
from planops.core.report import ExitCode
from planops.errors import UsageWrong
from planops.render.escape import terminal

if TYPE_CHECKING:
    from planops.git.surroundings import Surroundings
    from planops.starter.files import Forge, Start
    from planops.starter.placing import Placed

_USES: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}@[0-9a-f]{40}")
_BRANCH: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,200}")
_LONGEST: Final = 2000


@click.command()
@options.option(
    "--forge",
    type=click.Choice(["github", "gitlab", "none"]),
    envvar="PLANOPS_FORGE",
    help="Write the jobs of this forge; by default the one that the remote origin is on.",
)
@options.option(
    "--backend",
    type=click.Choice(["zadig", "brpm"]),
    default="zadig",
    show_default=True,
    envvar="PLANOPS_BACKEND",
    help="Which kind of server the plans are for.",
)
@options.option(
    "--url",
    envvar="PLANOPS_URL",
    metavar="ADDRESS",
    help="The server's address; an example is written without it.",
)
@options.option(
    "-t",
    "--target",
    "targets",  # the same variable as other commands' --target, and so the same name
    envvar="PLANOPS_TARGET",
    metavar="NAME",
    help="What the server is called in settings and plans; by default zadig-prod or brpm-prod.",
)
@options.option(
    "--uses",
    envvar="PLANOPS_USES",
    metavar="OWNER/REPO@COMMIT",
    help=(
        "On GitHub: call the reusable workflows there; without it the workflows install this"
        " version and stand alone."
    ),
)
@options.option(
    "--force",
    is_flag=True,
    envvar="PLANOPS_FORCE",
    help="Write over files that are there; never over .gitlab-ci.yml or an editor's settings.",
)
@options.chdir
def command(*, chdir: Path, force: bool, **given: Any) -> int:
    """Write what a repository of plans starts with: settings, a plan, schemas, and a forge's jobs.

    Nothing is written over: where a file is in the way, all of them are named and none is written.

    \b
    Examples:
      planops init
      planops init --forge github --url https://zadig.example.com
      planops init --backend brpm --target brpm-test
    """  # noqa: D301  click reads the backspace, and never shows it
    from planops.git.surroundings import surroundings
    from planops.starter.files import compose
    from planops.starter.placing import place

    around = surroundings(chdir)
    start = _start(chdir, around, given)
    files = compose(start)
    _check(files[0].text, start)
    interrupts = Interrupts()
    with interrupts.heard(), interrupts.calmly("the files are written"):  # all of them or none
        placed = place(chdir, files, overwrite=force)
        write_out(_told(placed, start, around))
    return interrupts.code or ExitCode.OK


def _start(chdir: Path, around: Surroundings | None, given: dict[str, Any]) -> Start:
    """Put together what was said and what is there.

    Raises:
        UsageWrong: it does not fit together.
    """
    from planops.manifests.planting import KEY, WANTED
    from planops.starter.files import Forge, Start

    backend, uses = given["backend"], given["uses"] or ""
    target = f"{backend}-prod" if given["targets"] is None else given["targets"]
    if not KEY.fullmatch(target):
        raise UsageWrong(f"--target {target!r}: this is no name of a target; write {WANTED}")
    forge = Forge(given["forge"]) if given["forge"] else _guessed(chdir, around)
    if uses and forge is not Forge.GITHUB:
        raise UsageWrong("--uses: it names workflows of GitHub; say --forge github as well")
    if uses and not _USES.fullmatch(uses):
        raise UsageWrong(
            f"--uses {uses!r}: this is not OWNER/REPO@COMMIT with a whole commit id; a tag or a"
            " branch could be moved"
        )
    if forge is not Forge.NONE and around and not chdir.samefile(around.root):
        raise UsageWrong(
            f"-C {chdir}: {forge} reads jobs at the repository's root only; say -C {around.root},"
            " or --forge none"
        )
    url = f"https://{backend}.example.com" if given["url"] is None else given["url"]
    if not url.isprintable() or len(url) > _LONGEST:
        raise UsageWrong("--url: this is no address; write https://HOST or https://HOST/PATH")
    branch = around.branch if around else ""
    return Start(
        backend=backend,
        target=target,
        url=url,
        version=planops.__version__,
        forge=forge,
        branch=branch if _BRANCH.fullmatch(branch) else "main",
        uses=uses,
        shared=forge is not Forge.NONE or bool(around and around.shared),
    )


def _guessed(chdir: Path, around: Surroundings | None) -> Forge:
    """Take the forge that the remote's host is named after, else the one whose files are there."""
    from planops.starter.files import Forge

    root = around.root if around else chdir
    host = around.host if around else ""
    for forge, files in (
        (Forge.GITHUB, (".github",)),
        (Forge.GITLAB, (".gitlab-ci.yml", ".gitlab")),
    ):
        if any(label.startswith(forge.value) for label in host.split(".")):
            return forge
        if not host and any((root / file).exists() for file in files):
            return forge
    return Forge.NONE


def _check(text: str, start: Start) -> None:
    """Make sure that the settings are sound before they stand anywhere.

    Raises:
        UsageWrong: the address or the target cannot be used.
    """
    from planops.manifests.settings import check_config
    from planops.starter.files import SETTINGS

    with tempfile.TemporaryDirectory(prefix="planops-") as folder:
        file = Path(folder) / SETTINGS
        file.write_text(text, encoding="utf-8")
        _, problems = check_config(file)
    for problem in problems:
        which = f"--target {start.target}" if "ledger" in problem.message else "--url"
        hint = f"; {problem.hint}" if problem.hint else ""
        raise UsageWrong(f"{which}: {problem.message}{hint}")


def _told(placed: Placed, start: Start, around: Surroundings | None) -> str:
    lines = [f"wrote {file.path}" for file in placed.written]
    lines += [f"{file.path} is there already, as it should be" for file in placed.same]
    for file in placed.kept:
        lines += ["", f"{file.path} is yours and stays as it is; add to it:", ""]
        lines += [f"    {line}" for line in file.text.splitlines()]
    lines += ["", "Next:", *(f"- {step}" for step in _steps(placed, start, around))]
    return "".join(f"{terminal(line)}\n" for line in lines)


def _steps(placed: Placed, start: Start, around: Surroundings | None) -> list[str]:
    from planops.starter.files import PLAN, SETTINGS, Forge

    written = {file.path for file in placed.written}
    steps = ["git init: the plans are kept in a repository"] if around is None else []
    if f"https://{start.backend}.example.com" == start.url and SETTINGS in written:
        steps.append(f"{SETTINGS}: write your server's address in place of the example")
    if not start.shared and SETTINGS in written:
        steps.append(
            f"{SETTINGS}: there is no remote, so the ledger is in this clone alone; write"
            " {mode: git} once others or a CI apply too"
        )
    if PLAN in written:
        steps.append(f"{PLAN}: make this plan yours")
    steps.append(f"export {start.token}=…; then planops validate, and planops diff")
    match start.forge:
        case Forge.GITHUB:
            read = start.token.replace("_TOKEN", "_READ_TOKEN")
            steps.append(
                f"on GitHub: add the secret {start.token}, and {read} of a user who may only read;"
                f" merging to {start.branch} applies"
            )
        case Forge.GITLAB:
            steps.append(
                f"on GitLab: add the variables {start.token} and PLANOPS_GITLAB_TOKEN, and the"
                " schedules, as .gitlab/planops.gitlab-ci.yml says"
            )
        case Forge.NONE:
            pass
    return steps
