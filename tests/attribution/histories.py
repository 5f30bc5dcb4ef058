"""Random histories of plan files, and a model that keeps for itself which commit set which line.

The model never asks git who did something. It knows the parents of a commit and reads the texts
that the commit has; every text is made only once, so that equal texts come from the same deed:

- a line whose text no parent has was set by this commit: an edit, a revert (which restores an old
  text, and yet is the commit that did), a cherry-picked copy on this branch (not the original on
  the other), or a merge that was resolved to a new text;
- any other line was set where that parent got it from. A merge never takes the blame for it. Where
  both parents have the text, and got it from different commits, either is right.

The white space at a line's ends is no part of its text. Where a line stands, and in which file, is
no matter: files are moved, and lines are inserted above.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from attribution.repository import START, Repository

AUTHORS = ("Ann", "Bob", "Änne Ørsted", "名前", "carl\x1b[31m")
LINES = 24

Right: TypeAlias = Mapping[str, tuple[str, frozenset[str]]]
"""For each key its text, and the commits that rightly take the blame for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A line as it lies in the work tree."""

    file: str
    number: int
    text: str


@dataclass(slots=True, kw_only=True)
class History:
    """A repository under way, and what is known of every commit in it."""

    repository: Repository
    dice: random.Random
    rights: dict[str, Right] = field(default_factory=dict)
    authors: dict[str, str] = field(default_factory=dict)
    merges: set[str] = field(default_factory=set)
    done: dict[str, int] = field(default_factory=dict)
    clock: int = START
    made: int = 0

    def begin(self, files: int) -> None:
        """Make the first commit."""
        for number in range(files):
            self.write(f"plans/f{number}.yaml", [self.line(f"f{number}k{n}") for n in range(LINES)])
        self.commit("begin")

    # ------------------------------------------------------------------------------ the work tree

    def value(self) -> str:
        """A text that was never there."""
        self.made += 1
        return f"v{self.made}"

    def line(self, key: str) -> str:
        return f"  {key}: {self.value()}"

    def files(self) -> list[str]:
        folder = self.repository.folder
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.yaml"))

    def read(self, file: str) -> list[str]:
        return (self.repository.folder / file).read_text().splitlines()

    def write(self, file: str, lines: list[str]) -> None:
        self.repository.write(file, *lines)

    def sound(self) -> bool:
        """Tell whether every line is there once: git may take a file that moved for another one."""
        keys = [line.partition(":")[0].strip() for file in self.files() for line in self.read(file)]
        return len(set(keys)) == len(keys)

    def standing(self) -> dict[str, Standing]:
        """Where every line is now. A key that is there twice is a mistake of the test."""
        found: dict[str, Standing] = {}
        for file in self.files():
            for number, line in enumerate(self.read(file), 1):
                key = line.partition(":")[0].strip()
                assert key not in found, (key, file)
                found[key] = Standing(file=file, number=number, text=line.strip())
        return found

    # ---------------------------------------------------------------------------------- commits

    def git(self, *words: str) -> str:
        author = self.dice.choice(AUTHORS)
        return self.repository.git(*words, author=author, at=self.clock)

    def tick(self) -> None:
        """Go on, or not: commits of the same second are common."""
        self.clock += self.dice.choice((0, 0, 1, 3_600))

    def commit(self, what: str) -> bool:
        """Commit everything; nothing where nothing changed."""
        self.repository.git("add", "--all")
        if not self.repository.git("status", "--porcelain") and not self.merging():
            return False
        self.tick()
        author = self.dice.choice(AUTHORS)
        self.repository.git(
            "commit", "--quiet", "--allow-empty", "-m", what, author=author, at=self.clock
        )
        return self.learn(what)

    def merging(self) -> bool:
        return (self.repository.folder / ".git" / "MERGE_HEAD").exists()

    def learn(self, what: str) -> bool:
        """Say of the new commit what is right."""
        made, *parents = self.repository.git("log", "-1", "--format=%H %P").split()
        self.authors[made] = self.repository.git("log", "-1", "--format=%an")
        known = [self.rights[parent] for parent in parents]
        self.merges |= {made} if len(parents) > 1 else set()
        self.rights[made] = {
            key: (at.text, _right(made, key, at.text, known)) for key, at in self.standing().items()
        }
        self.done[what] = self.done.get(what, 0) + 1
        return True

    def branches(self, *which: str) -> list[str]:
        form = "--format=%(refname:short)"
        return self.repository.git("for-each-ref", form, *which, "refs/heads").split()

    def tried(self, *words: str) -> bool:
        """Call git for something that may meet a conflict."""
        try:
            self.git(*words)
        except subprocess.CalledProcessError:
            return False
        return True


def _right(made: str, key: str, text: str, parents: list[Right]) -> frozenset[str]:
    found = [at[key][1] for at in parents if key in at and at[key][0] == text]
    return frozenset().union(*found) if found else frozenset({made})


# ---------------------------------------------------------------------------------- what happens


def edit(at: History) -> None:
    """Set single lines of several files anew."""
    for file in at.dice.sample(at.files(), at.dice.randint(1, 2)):
        lines = at.read(file)
        for number in at.dice.sample(range(len(lines)), at.dice.randint(1, 2)):
            key, _, _ = lines[number].partition(":")
            lines[number] = f"{key}: {at.value()}"
        at.write(file, lines)
    at.commit("edit")


def insert(at: History) -> None:
    """Add a line, or take one away."""
    file = at.dice.choice(at.files())
    lines = at.read(file)
    place = at.dice.randrange(len(lines))
    if len(lines) > LINES and at.dice.random() < 0.5:
        del lines[place]
    else:
        at.made += 1
        lines.insert(place, at.line(f"new{at.made}"))
    at.write(file, lines)
    at.commit("insert")


def move(at: History) -> None:
    """Give a file another name, sometimes with an edit in the same commit."""
    file = at.dice.choice(at.files())
    name = f"{at.dice.choice(('plans', 'plans/deep', '-odd', 'a b'))}/{at.value()}.yaml"
    (at.repository.folder / name).parent.mkdir(parents=True, exist_ok=True)
    at.git("mv", "--", file, name)
    if at.dice.random() < 0.5:
        lines = at.read(name)
        lines[3] = at.line(lines[3].partition(":")[0].strip())
        at.write(name, lines)
    at.commit("move")


def reformat(at: History) -> None:
    """Indent a whole file anew."""
    file = at.dice.choice(at.files())
    margin = " " * at.dice.randint(0, 6)
    at.write(file, [f"{margin}{line.strip()}" for line in at.read(file)])
    at.commit("reformat")


def branch(at: History) -> None:
    """Begin a branch here."""
    if len(at.branches()) < 4:
        at.git("switch", "--quiet", "--create", f"b{at.value()}")
        edit(at)


def switch(at: History) -> None:
    """Go on on another branch."""
    at.git("switch", "--quiet", at.dice.choice(at.branches()))


def revert(at: History) -> None:
    """Take back a commit of this branch, where that is possible without a conflict."""
    past = at.repository.git("rev-list", "--no-merges", "--max-count=12", "HEAD").split()[:-1]
    if past:
        _made(at, "revert", "revert", "--no-edit", at.dice.choice(past))


def pick(at: History) -> None:
    """Copy a commit of another branch to this one: the author stays, the commit is another."""
    apart = at.branches("--no-merged=HEAD")
    here = ("--not", "HEAD")
    past = at.repository.git("rev-list", "--no-merges", "--max-count=12", *apart, *here).split()
    if apart and past:
        _made(at, "pick", "cherry-pick", at.dice.choice(past))


def _made(at: History, what: str, *words: str) -> None:
    before = at.repository.head()
    at.tick()
    if at.tried(*words) and at.repository.head() != before and at.sound():
        at.learn(what)
    else:
        at.git("reset", "--quiet", "--hard", before)


def merge(at: History) -> None:
    """Merge another branch; resolve conflicts line by line to this side, that side, or neither."""
    before = at.repository.head()
    apart = at.branches("--no-merged=HEAD")
    if not apart:
        return
    other = at.dice.choice(apart)
    clean = at.tried("merge", "--quiet", "--no-ff", "--no-commit", other)
    theirs = {
        key: text for key, (text, _) in at.rights[at.repository.git("rev-parse", other)].items()
    }
    if (clean or _resolved(at, theirs)) and at.sound() and _recognisable(at, before, other):
        at.commit("merge" if clean else "merge with a conflict")
    else:
        at.git("reset", "--quiet", "--hard", before)


def _recognisable(at: History, *parents: str) -> bool:
    """Tell whether git can see which file of a parent each file was.

    It takes one for another by the bytes of its lines, white space and all. A file that one side
    moved and the other indented anew is a new file to it, and the merge that which made it.
    """
    for file in at.files():
        lines = set(at.read(file))
        for parent in parents:
            names = at.repository.git("ls-tree", "-r", "--name-only", "-z", parent).split("\0")
            olds = [
                at.repository.git("show", f"{parent}:{name}").split("\n") for name in names if name
            ]
            if file not in names and not any(2 * len(lines & set(old)) > len(old) for old in olds):
                return False
    return True


def _resolved(at: History, theirs: Mapping[str, str]) -> bool:
    """Resolve what stands against a merge; give up where files were moved apart."""
    states = at.repository.git("status", "--porcelain").splitlines()
    torn = [state[3:].strip('"') for state in states if state[:2] == "UU"]
    if any(state[:2] in {"AA", "DD", "AU", "UA", "DU", "UD"} for state in states):
        return False
    for file in torn:
        ours = at.repository.git("show", f":2:{file}").splitlines()
        at.write(file, list(_chosen(at, ["  " + line.strip() for line in ours], theirs)))
    return True


def _chosen(at: History, ours: list[str], theirs: Mapping[str, str]) -> Iterator[str]:
    for line in ours:
        key = line.partition(":")[0].strip()
        other = theirs.get(key, line.strip())
        if other == line.strip():
            yield line
        else:
            yield at.dice.choice((line, f"  {other}", at.line(key)))


HAPPENINGS: tuple[tuple[Callable[[History], None], int], ...] = (
    (edit, 8),
    (insert, 2),
    (move, 2),
    (reformat, 1),
    (branch, 2),
    (switch, 7),
    (revert, 3),
    (pick, 3),
    (merge, 5),
)


def play(folder: Path, seed: int, events: int) -> History:
    """Play a history of so many events."""
    repository = Repository(folder=folder)
    repository.git("init", "--quiet", "--initial-branch=main")
    at = History(repository=repository, dice=random.Random(seed))  # noqa: S311 - no secret
    at.begin(4)
    for happen in at.dice.choices(*zip(*HAPPENINGS, strict=True), k=events):
        happen(at)
    return at
