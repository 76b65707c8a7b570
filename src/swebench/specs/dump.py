"""Prints what an installed swebench 4.1 knows of environments, as one JSON object.

    python3 dump.py > table.json

The object has "schema", "swebench" (the package's version), "date" (today) and "repos":
by owner/name the class of the language, the name of the log parser, the kind of
evaluation, and by version a specification. Texts and lists of commands are both written
as lists. Exit status: 0; 2 where the package is missing or cannot be loaded; 3 where it
is of a version that has no such tables.
"""

import contextlib
import datetime
import json
import sys

SCHEMA = "proofyard/swebench-specs/1"
TEXTS = ("python", "packages")
LISTS = ("pip_packages", "pre_install", "install", "build", "test_cmd", "eval_commands", "apt_pkgs")
FLAGS = ("no_use_env", "execute_test_as_nonroot")
AS_IS = ("nano_cpus", "docker_specs")


def leave(status, text):
    sys.stderr.write(text + "\n")
    sys.exit(status)


def installed():
    """The version of the package, without loading it; None where there is none."""
    try:
        from importlib.metadata import PackageNotFoundError, version
    except ImportError:
        leave(2, "this is Python %d.%d; swebench needs 3.10 or later" % sys.version_info[:2])
    try:
        return version("swebench")
    except PackageNotFoundError:
        return None


def check(version):
    if version is None:
        leave(
            2,
            "swebench is not installed for %s; install it there with "
            "`pip install swebench==4.1.0`, or name another Python" % sys.executable,
        )
    major = version.split(".")[0]
    if major.isdigit() and int(major) >= 5:
        leave(
            3,
            "swebench %s has no tables of specifications: since 5.0 each row brings its own "
            "eval script and parser. Install 4.1 beside it for rows without these: "
            "`pip install swebench==4.1.0`" % version,
        )
    if major != "4":
        leave(3, "swebench %s is not read here; install `swebench==4.1.0`" % version)


def load():
    try:
        # What the package prints as it is loaded is no part of the table.
        with contextlib.redirect_stdout(sys.stderr):
            import swebench.harness.constants as constants
            import swebench.harness.log_parsers as parsers
        return constants, parsers.MAP_REPO_TO_PARSER
    except (ImportError, AttributeError) as error:
        leave(2, "swebench is installed but cannot be loaded: %s" % error)


def as_list(value):
    return [value] if isinstance(value, str) else [str(item) for item in value]


def specification(said):
    spec, other = {}, {}
    for key, value in said.items():
        name = key.replace("-", "_")
        if value is None:
            continue
        if name in LISTS:
            spec[name] = as_list(value)
        elif name in TEXTS:
            spec[name] = str(value)
        elif name in FLAGS:
            spec[name] = bool(value)
        elif name in AS_IS:
            spec[name] = value
        else:
            other[key] = value
    if other:
        spec["other"] = other
    return spec


def table(version):
    constants, parser_of = load()
    requirements = getattr(constants, "MAP_REPO_TO_REQS_PATHS", {})
    environments = getattr(constants, "MAP_REPO_TO_ENV_YML_PATHS", {})
    fail_only = getattr(constants, "FAIL_ONLY_REPOS", ())
    repos = {}
    for repo, versions in constants.MAP_REPO_VERSION_TO_SPECS.items():
        entry = {
            "ext": constants.MAP_REPO_TO_EXT[repo],
            "eval_type": "fail_only" if repo in fail_only else "pass_and_fail",
            "versions": {str(name): specification(said) for name, said in versions.items()},
        }
        if repo in parser_of:
            entry["parser"] = parser_of[repo].__name__
        if repo in requirements:
            entry["requirements_paths"] = as_list(requirements[repo])
        if repo in environments:
            entry["environment_paths"] = as_list(environments[repo])
        repos[repo] = entry
    return {
        "schema": SCHEMA,
        "swebench": version,
        "date": datetime.date.today().isoformat(),
        "repos": repos,
    }


def main():
    version = installed()
    check(version)
    json.dump(table(version), sys.stdout, indent=1, sort_keys=True, default=str)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
