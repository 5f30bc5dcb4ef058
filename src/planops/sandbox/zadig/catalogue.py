"""What the emulated system knows besides plans and workflows, and workflow jobs may refer to.

Registries, code hosts, artifacts, database instances and Tapd, each a list of the fixtures
(docs/servers/zadig.md §9.4, §9.8).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from planops.sandbox.zadig.answers import NO_DOCUMENT, GoError
from planops.sandbox.zadig.gojson import Document
from planops.sandbox.zadig.traits import Traits


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """One system's registries, code hosts and so on; ``traits`` is its generation."""

    system: Mapping[str, list[Document]]
    traits: Traits

    def registry_id(self, name: str) -> str:
        """The id of a registry by address and namespace."""
        for registry in self.system.get("registries", ()):
            if f"{registry['reg_addr']}/{registry['namespace']}" == name:
                return str(registry["id"])
        raise GoError("didn't find the specified image registry")

    def code_host(self, alias: str) -> Document:
        """A code host by alias."""
        for host in self.system.get("code_hosts", ()):
            if host["alias"] == alias:
                return host
        raise GoError(f"failed to find code host with name:{alias}")

    def artifact(self, service: str, file: str) -> Document:
        """An artifact of a service by file name."""
        for artifact in self.system.get("artifacts", ()):
            if (artifact["service_name"], artifact["file_name"]) == (service, file):
                return artifact
        raise GoError(
            f"failed to validate given file: {file}, "
            "error: artifact not found in zadig artifact list"
        )

    def database(self, name: str) -> Document:
        """A database instance by name."""
        for database in self.system.get("databases", ()):
            if database["name"] == name:
                return database
        raise GoError(f"failed to find database instance {name}, error: {NO_DOCUMENT}")

    def tapd_project(self, tapd_id: str, project_id: str) -> Document:
        """A project of a Tapd, which the server would ask over HTTP."""
        for tapd in self.system.get("tapd", ()):
            if tapd["id"] == tapd_id:
                found = [one for one in tapd["projects"] if one["id"] == project_id]
                if not found:
                    raise GoError("failed to get project info: project not found")
                project: Document = found[0]
                return project
        raise GoError(f"failed to get tapd info, error: {NO_DOCUMENT}")
