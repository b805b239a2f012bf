# Run by snakepit with `python -c`: what is this interpreter, and what of the packages asked for does it have?
# One line of JSON after a marker. It must run on any Python 3, and never import a package that it looks for.
import json
import sys

sys.path[:] = [entry for entry in sys.path if entry]


def numbers(text):
    found = []
    for part in text.split("."):
        digits = ""
        for letter in part:
            if not letter.isdigit():
                break
            digits += letter
        if not digits:
            break
        found.append(int(digits))
    while found and found[-1] == 0:
        found.pop()
    return found


def fits(version, clauses):
    for clause in clauses.split(","):
        clause = clause.strip()
        if clause.startswith(">=") and numbers(version) < numbers(clause[2:].strip()):
            return False
        if clause.startswith("<") and not clause.startswith("<=") and numbers(version) >= numbers(clause[1:].strip()):
            return False
    return True


def distribution(requirement):
    for at, letter in enumerate(requirement):
        if letter in "<>=!~ [;":
            return requirement[:at], requirement[at:]
    return requirement, ""


def look(need):
    import importlib.util

    name, requirement = need
    project, clauses = distribution(requirement)
    if not name:
        try:
            from importlib import metadata

            version = metadata.version(project)
        except Exception:
            return {"have": False}
        return {"have": True, "version": version, "fits": fits(version, clauses)}
    try:
        if importlib.util.find_spec(name) is None:
            return {"have": False}
    except Exception:
        return {"have": False}
    try:
        from importlib import metadata

        version = metadata.version(project)
    except Exception:
        return {"have": True, "fits": True}
    return {"have": True, "version": version, "fits": fits(version, clauses)}


def main():
    answer = {"version": list(sys.version_info[:3]), "executable": sys.executable or ""}
    if sys.version_info >= (3, 10):
        import importlib.util
        import sysconfig

        answer["tag"] = str(sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag)
        answer["pip"] = importlib.util.find_spec("pip") is not None
        answer["needs"] = [look(need) for need in json.loads(sys.argv[1])]
    print("snakepit-probe " + json.dumps(answer))


main()
