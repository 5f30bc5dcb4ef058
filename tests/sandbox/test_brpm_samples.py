"""The two samples of BMC's documentation are what a fresh sandbox answers (§1.10, §4.8)."""

import json
from collections.abc import Iterator

import pytest

from planops.sandbox.brpm.visitor import XML, Visitor, visiting

# As printed, the missing comma before "plan_routes" included.
LIST = """\
[{
"aasm_state": "created",
"created_at": "2012-10-23T19:52:41-04:00",
"description": null,
"foreign_id": null,
"id": 1,
"name": "Sample Plan",
"plan_template_id": 1,
"project_server_id": null,
"release_date": "2012-10-31",
"release_id": null,
"release_manager_id": 1,
"updated_at": "2012-10-23T19:52:41-04:00",
"plan_template": {
"id": 1,
"is_automatic": false,
"name": "Sample Deploy Template",
"stages": [{
"id": 1,
"name": "Dev"
}, {
"id": 2,
"name": "QA"
}, {
"id": 3,
"name": "Prod"
}]
},
"teams": [{
"id": 1,
"name": "AllAccess"
}]
"plan_routes": [{
"id":1,
"route": {
"description":"This is production route",
"id":2,
"name":"Production Route",
"route_type":"open"
}
}],
"plan_stage_instances": [{
"aasm_state":"compliant",
"id":3,
"plan_stage": {
"id":3,
"name":"Prod"
}
},{
"aasm_state":"compliant",
"id":2,
"plan_stage": {
"id":2,
"name":"QA"
}
},{
"aasm_state":"compliant",
"id":1,
"plan_stage": {
"id":1,
"name":"Dev"
}
}]
}]
"""

SHOW = """\
<?xml version="1.0" encoding="UTF-8"?>
<plan>
<aasm-state>created</aasm-state>
<created-at type="datetime">2012-10-23T19:52:41-04:00</created-at>
<description nil="true"></description>
<foreign-id nil="true"></foreign-id>
<id type="integer">1</id>
<name>Sample Plan</name>
<plan-template-id type="integer">1</plan-template-id>
<project-server-id type="integer" nil="true"></project-server-id>
<release-date type="date">2012-10-31</release-date>
<release-id type="integer" nil="true"></release-id>
<release-manager-id type="integer">1</release-manager-id>
<updated-at type="datetime">2012-10-23T19:52:41-04:00</updated-at>
<plan-template>
<archive-number nil="true"></archive-number>
<archived-at type="datetime" nil="true"></archived-at>
<created-at type="datetime">2012-10-23T19:50:52-04:00</created-at>
<id type="integer">1</id>
<is-automatic type="boolean">false</is-automatic>
<name>Sample Deploy Template</name>
<template-type>deploy</template-type>
<updated-at type="datetime">2012-10-23T19:50:52-04:00</updated-at>
<stages type="array">
<stage type="PlanStage">
<auto-start type="boolean">false</auto-start>
<created-at type="datetime">2012-10-23T19:50:58-04:00</created-at>
<id type="integer">1</id>
<name>Dev</name>
<plan-template-id type="integer">1</plan-template-id>
<position type="integer">1</position>
<requestor-access type="boolean">true</requestor-access>
<updated-at type="datetime">2012-10-23T19:50:58-04:00</updated-at>
</stage>
<stage type="PlanStage">
<auto-start type="boolean">false</auto-start>
<created-at type="datetime">2012-10-23T19:51:05-04:00</created-at>
<id type="integer">2</id>
<name>QA</name>
<plan-template-id type="integer">1</plan-template-id>
<position type="integer">2</position>
<requestor-access type="boolean">true</requestor-access>
<updated-at type="datetime">2012-10-23T19:51:05-04:00</updated-at>
</stage>
<stage type="PlanStage">
<auto-start type="boolean">false</auto-start>
<created-at type="datetime">2012-10-23T19:51:11-04:00</created-at>
<id type="integer">3</id>
<name>Prod</name>
<plan-template-id type="integer">1</plan-template-id>
<position type="integer">3</position>
<requestor-access type="boolean">true</requestor-access>
<updated-at type="datetime">2012-10-23T19:51:11-04:00</updated-at>
</stage>
</stages>
</plan-template>
<teams type="array">
<team>
<id type="integer">1</id>
<name>AllAccess</name>
</team>
</teams>
<members type="array">
<member type="PlanMember">
<position type="integer">1</position>
<stage>
<id type="integer">1</id>
<name>Dev</name>
<position type="integer">1</position>
</stage>
<request>
<aasm-state>created</aasm-state>
<name>Sample Request</name>
<number type="integer">1003</number>
</request>
</member>
<member type="PlanMember">
<position type="integer">2</position>
<stage>
<id type="integer">2</id>
<name>QA</name>
<position type="integer">2</position>
</stage>
<request>
<aasm-state>created</aasm-state>
<name>Sample Request</name>
<number type="integer">1004</number>
</request>
</member>
<member type="PlanMember">
<position type="integer">3</position>
<stage>
<id type="integer">3</id>
<name>Prod</name>
<position type="integer">3</position>
</stage>
<request>
<aasm-state>created</aasm-state>
<name>Sample Request</name>
<number type="integer">1005</number>
</request>
</member>
</members>
<plan-routes type="array">
<plan-route>
<id type="integer">1</id>
<route>
<description>This is production route</description>
<id type="integer">2</id>
<name>Production Route</name>
<route-type>open</route-type>
</route>
</plan-route>
</plan-routes>
<plan-stage-instances type="array">
<plan-stage-instance>
<aasm-state>compliant</aasm-state>
<id type="integer">3</id>
<plan-stage>
<id type="integer">3</id>
<name>Prod</name>
</plan-stage>
</plan-stage-instance>
<plan-stage-instance>
<aasm-state>compliant</aasm-state>
<id type="integer">2</id>
<plan-stage>
<id type="integer">2</id>
<name>QA</name>
</plan-stage>
</plan-stage-instance>
<plan-stage-instance>
<aasm-state>compliant</aasm-state>
<id type="integer">1</id>
<plan-stage>
<id type="integer">1</id>
<name>Dev</name>
</plan-stage>
</plan-stage-instance>
</plan-stage-instances>
</plan>
"""


@pytest.fixture
def brpm() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


def test_the_list_sample_needs_its_comma() -> None:
    with pytest.raises(ValueError, match="Expecting ',' delimiter"):
        json.loads(LIST)


def test_the_json_sample_is_the_list(brpm: Visitor) -> None:
    sample = json.loads(LIST.replace('}]\n"plan_routes"', '}],\n"plan_routes"'))
    reply = brpm.list()
    assert reply.status == 200
    assert reply.json == sample
    assert reply.body == json.dumps(sample, separators=(",", ":")).encode()


def test_the_xml_sample_is_the_plan(brpm: Visitor) -> None:
    reply = brpm.call("GET /v1/plans/1", accept=XML)
    assert reply.status == 200
    assert [line.lstrip(" ") for line in reply.text.splitlines()] == SHOW.splitlines()


def test_xml_is_indented_by_two(brpm: Visitor) -> None:
    lines = brpm.call("GET /v1/plans/1", accept=XML).text.splitlines()
    assert lines[1:3] == ["<plan>", "  <aasm-state>created</aasm-state>"]
    assert '      <stage type="PlanStage">' in lines
    assert lines[-1] == "</plan>"


def test_list_and_show_differ(brpm: Visitor) -> None:
    (listed,), shown = brpm.list().json, brpm.get(1)
    assert "members" not in listed
    assert listed["plan_template"].keys() == {"id", "is_automatic", "name", "stages"}
    assert listed["plan_template"]["stages"][0].keys() == {"id", "name"}
    assert shown["plan_template"].keys() - listed["plan_template"].keys() == {
        "archive_number",
        "archived_at",
        "created_at",
        "template_type",
        "updated_at",
    }
    assert shown["plan_template"]["stages"][0].keys() - {"id", "name"} == {
        "auto_start",
        "created_at",
        "plan_template_id",
        "position",
        "requestor_access",
        "updated_at",
    }


def test_members_have_numbers_and_no_ids(brpm: Visitor) -> None:
    members = brpm.get(1)["members"]
    assert members[0] == {
        "position": 1,
        "stage": {"id": 1, "name": "Dev", "position": 1},
        "request": {"aasm_state": "created", "name": "Sample Request", "number": 1003},
    }
    assert [one["request"]["number"] for one in members] == [1003, 1004, 1005]


def test_a_member_without_a_request_has_no_such_key(brpm: Visitor) -> None:
    brpm.sandbox.remove_record("request", 4)
    assert [one.keys() for one in brpm.get(1)["members"]] == [
        {"position", "stage", "request"},
        {"position", "stage"},
        {"position", "stage", "request"},
    ]


def test_stages_are_not_in_their_order(brpm: Visitor) -> None:
    instances = brpm.get(1)["plan_stage_instances"]
    assert [one["plan_stage"]["name"] for one in instances] == ["Prod", "QA", "Dev"]
