"""Makes openapi.json and the reference page from routes.def and the contract.

usage: gen_openapi.py ROUTES.def PROTO_ROOT CODE.def OUT_FOLDER VERSION

Fails the build when a route names an rpc, a variable or a resource's field that the contract does
not have, when two routes stand at the same place, or when an rpc without a public role is routed.
"""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import openapi_contract as contract  # noqa: E402
import openapi_document as document  # noqa: E402
import openapi_page as page  # noqa: E402

ROUTE = re.compile(r'^ROUTE\((\w+), "([^"]+)", "([^"]+)", (READS|WRITES), (NULL|"[^"]*"), '
                   r'(NULL|"[^"]*")\)$')
OWN = re.compile(r'^OWN\((\w+), "([^"]+)", (\w+), (\w+)\)$')
VARIABLE = re.compile(r"\{(\w+)\}")


def unquote(text):
    return None if text == "NULL" else text[1:-1]


def read_routes(path):
    routes, problems = [], []
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    for line in filter(None, map(str.strip, text.splitlines())):
        if match := ROUTE.match(line):
            routes.append({"method": match[1], "path": match[2], "rpc": match[3],
                           "writes": match[4] == "WRITES", "location": unquote(match[5]),
                           "cached": unquote(match[6])})
        elif match := OWN.match(line):
            routes.append({"method": match[1], "path": match[2], "own": match[3],
                           "access": match[4]})
        else:
            problems.append(f"not a route: {line}")
    return routes, problems


def check_rpc_route(route, methods):
    method = methods.get(route["rpc"])
    where = f'{route["method"]} {route["path"]}'
    if method is None:
        yield f'{where}: no rpc {route["rpc"]}'
        return
    if not set(method.roles) - {"SERVICE"}:
        yield f'{where}: {route["rpc"]} is for services alone'
    for name in VARIABLE.findall(route["path"]):
        if name not in method.request.fields:
            yield f"{where}: {method.request.full_name} has no field {name}"
    resource = method.resource()
    for name in VARIABLE.findall(route["location"] or ""):
        if resource is None or name not in resource.fields:
            yield f'{where}: the resource of {route["rpc"]} has no field {name}'
    if route["location"] is not None and route["method"] != "POST":
        yield f"{where}: only a POST makes something"
    if method.transaction == "WRITE" and not route["writes"]:
        yield f"{where}: the rpc writes"


def check(routes, methods):
    seen = set()
    for route in routes:
        shape = (route["method"], VARIABLE.sub("{}", route["path"]))
        if shape in seen:
            yield f"two routes at {shape[0]} {shape[1]}"
        seen.add(shape)
        if "rpc" in route:
            yield from check_rpc_route(route, methods)
        elif route["own"] not in document.OWN:
            yield f'{route["own"]} is not described in openapi_document.py'


def main():
    routes_path, proto_root, codes_path, out, version = sys.argv[1:]
    routes, problems = read_routes(pathlib.Path(routes_path))
    methods = contract.load(pathlib.Path(proto_root))
    codes = contract.load_codes(pathlib.Path(codes_path))
    problems += check(routes, methods)
    if problems:
        sys.exit("\n".join(f"routes.def: {problem}" for problem in problems))
    folder = pathlib.Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    made = document.make(routes, methods, codes, version)
    (folder / "openapi.json").write_text(document.to_text(made))
    (folder / "reference.part").write_text(page.make(made, codes))


main()
