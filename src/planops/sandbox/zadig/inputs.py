"""How the inputs of a workflow's jobs change their specs, a row for each kind of job.

A further kind is one more structure, one more function and one more row of ``KINDS``
(docs/servers/zadig.md §9.4 to §9.20). Functions change the spec in place. A kind that has no row
is refused, as the server refuses what it does not know.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from planops.sandbox.zadig import building, deploying, testing
from planops.sandbox.zadig.answers import GoError
from planops.sandbox.zadig.binding import BindFault, Field, Slice, Struct, bind, fields, zero
from planops.sandbox.zadig.catalogue import Catalogue
from planops.sandbox.zadig.gojson import Document, numbered

Update = Callable[[Catalogue, Document, Document, Document], None]
_EMPTY = Struct("EmptyInput", (), "workflow")
_SQL = Struct("SQLJobInput", fields("database_name", "sql"), "workflow")
_TAPD = Struct(
    "TapdJobInput",
    fields("project_id", "project_name", "status", Field("iteration_ids", Slice("string"))),
    "workflow",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """One kind of workflow job: the structure of its parameters and what they do to its spec.

    Without a structure the parameters are not even looked at.
    """

    parameters: Struct | None
    update: Update


def apply_input(
    catalogue: Catalogue, workflow: Document, job: Document, parameters: object
) -> None:
    """Apply ``parameters`` to one job of a workflow, whose other jobs it may refer to."""
    kind = KINDS.get(str(job["type"]))
    if kind is None:
        raise GoError(f"undefined job type of type:{job['type']}")
    given = {} if kind.parameters is None else _bound(kind.parameters, parameters)
    try:
        kind.update(catalogue, workflow, job["spec"], given)
    except GoError as wrong:
        raise GoError(f"failed to update jobspec for job: {job['name']}, err: {wrong}") from None


def _bound(struct: Struct, parameters: object) -> Document:
    try:
        return bind(struct, numbered(parameters)) or zero(struct)
    except BindFault as wrong:
        raise GoError(f"unmarshal task error: {wrong}") from None


def _nothing(_: Catalogue, __: Document, ___: Document, ____: Document) -> None:
    """Being listed is all that these kinds need."""


def _sql(catalogue: Catalogue, _: Document, spec: Document, given: Document) -> None:
    if spec.get("source") == "runtime":
        database = catalogue.database(given["database_name"])
        spec |= {"id": database["id"], "type": database["type"]}
    spec["sql"] = given["sql"]


def _tapd(catalogue: Catalogue, _: Document, spec: Document, given: Document) -> None:
    """Iterations are added to those that the job has; the project's name is Tapd's."""
    project = catalogue.tapd_project(str(spec.get("tapd_id", "")), given["project_id"])
    known = {one["id"]: one for one in project.get("iterations", ())}
    iterations = list(spec.get("iterations") or ())
    for wanted in given["iteration_ids"] or ():
        if wanted not in known:
            raise GoError(f"failed to get iteration {wanted} info")
        iterations.append(
            {
                "iteration_id": wanted,
                "iteration_name": known[wanted].get("name", ""),
                "start_date": known[wanted].get("start_date", ""),
                "end_date": known[wanted].get("end_date", ""),
            }
        )
    spec |= {
        "project_id": given["project_id"],
        "project_name": project["name"],
        "status": given["status"],
        "iterations": iterations,
    }


def _kind(parameters: Struct | None, update: Update) -> JobKind:
    return JobKind(parameters=parameters, update=update)


KINDS: Mapping[str, JobKind] = {
    "plugin": _kind(building.PLUGIN, building.plugin),
    "freestyle": _kind(building.FREESTYLE, building.freestyle),
    "zadig-build": _kind(building.BUILD, building.build),
    "zadig-test": _kind(testing.TEST, testing.test),
    "zadig-scanning": _kind(testing.SCAN, testing.scan),
    "zadig-deploy": _kind(deploying.DEPLOY, deploying.deploy),
    "zadig-vm-deploy": _kind(deploying.VM_DEPLOY, deploying.vm_deploy),
    "custom-deploy": _kind(deploying.CUSTOM_DEPLOY, deploying.custom_deploy),
    "k8s-blue-green-deploy": _kind(deploying.BLUE_GREEN, deploying.blue_green),
    "k8s-blue-green-release": _kind(_EMPTY, _nothing),
    "k8s-canary-deploy": _kind(deploying.CANARY, deploying.canary),
    "k8s-canary-release": _kind(_EMPTY, _nothing),
    "k8s-gray-release": _kind(deploying.GRAY_RELEASE, deploying.gray_release),
    "k8s-gray-rollback": _kind(deploying.GRAY_ROLLBACK, deploying.gray_rollback),
    "k8s-resource-patch": _kind(deploying.PATCH, deploying.resource_patch),
    "approval": _kind(None, _nothing),
    "sql": _kind(_SQL, _sql),
    "tapd": _kind(_TAPD, _tapd),
}
