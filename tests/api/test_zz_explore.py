import json, os, time, collections
import pytest, schemathesis
from hypothesis import HealthCheck, Phase, settings, strategies as st
from openapi import document
from service import Service, database_copy
from api.http.tokens import SCOPES
from accounts import key_of

schemathesis.openapi.format("time-zone", st.sampled_from(["UTC","Europe/Vienna","America/New_York"]))
N=int(os.environ.get("N","10"))
CONFIG=schemathesis.Config.from_dict({"generation":{"with-security-parameters":False,"max-examples":N, "deterministic":True},"phases":{"coverage":{"enabled":True}}})
SCHEMA=schemathesis.openapi.from_dict(document(), config=CONFIG)

@pytest.fixture(scope="module")
def world(server, template):
    with database_copy(server, template) as dsn, Service(dsn, workers=1, ACTIVITIES_RELATED_RECORDS="lenient") as service, service.client(scopes=SCOPES) as client:
        client.records(); client.record("accounts","acme")
        yield client, key_of(client)

LOG=open("/tmp/oa/x/log.jsonl","a")
SEEN=collections.Counter()

@SCHEMA.parametrize()
@settings(max_examples=N, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
def test_it(case, world):
    client, key = world
    h={"Authorization": client.http.headers["Authorization"]}
    if case.path.startswith("/v1"): h|={"X-API-Key":key,"X-Organization-ID":client.organization}
    if case.meta is None or case.meta.generation.mode.is_positive:
        for n in ("Idempotency-Key","If-Match"): case.headers and case.headers.pop(n,None)
        case.query and case.query.pop("cursor",None)
    t=time.time()
    try:
        r=case.call(base_url=client.service.url, headers=h)
    except BaseException as e:
        LOG.write(json.dumps({"op":case.operation.label,"err":repr(e)[:600],"body":repr(case.body)[:300]})+"\n"); return
    dt=time.time()-t
    fails=[]
    try:
        case.validate_response(r, excluded_checks=[])
    except BaseException as e:
        for f in getattr(e,"exceptions",[e]):
            fails.append((type(f).__name__, str(f)[:1500]))
    LOG.write(json.dumps({"op":case.operation.label,"mode":str(case.meta.generation.mode) if case.meta else None,"phase":str(case.meta.phase.name) if case.meta else None,"desc":getattr(getattr(case.meta.phase,"data",None),"description",None) if case.meta else None,"status":r.status_code,"dt":dt,"method":case.method,"path":r.request.url[:300],"query":repr(case.query)[:500],"headers":repr({k:v for k,v in (case.headers or {}).items() if k.lower()!="authorization"})[:300],"body":repr(case.body)[:1200],"ans":r.text[:700] if r.status_code>=400 else "", "fails":fails})+"\n"); LOG.flush()
