/**
 * Asks Alembic itself, with the release's own configuration and env.py, and prints one line of JSON. With the name of
 * a revision as its argument it reads the release's files alone: `{found, down}`. Without one it asks the database too:
 * `{heads, current, applied, pending: [{id, parents, down}]}`, oldest first.
 */
export const lookScript = `
import ast, json, sys

# What env.py prints is not the answer.
answer, sys.stdout = sys.stdout, sys.stderr

from alembic.config import CommandLine
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError


def parents(revision):
    down = revision.down_revision or ()
    return [down] if isinstance(down, str) else list(down)


def has_way_down(revision):
    with open(revision.path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "downgrade":
            return not all(does_nothing(line) for line in node.body)
    return hasattr(revision.module, "downgrade")


def does_nothing(line):
    if isinstance(line, ast.Expr):
        return isinstance(line.value, ast.Constant)
    return isinstance(line, (ast.Pass, ast.Raise))


def read(script):
    return {revision.revision: revision for revision in reversed(list(script.walk_revisions()))}


def applied_at(config, script):
    current = []

    def note(revisions, context):
        current.extend(revisions)
        return []

    with EnvironmentContext(config, script, fn=note, dont_mutate=True):
        script.run_env()
    return current


def ancestors(revisions, current):
    found, left = set(), list(current)
    while left:
        name = left.pop()
        if name in revisions and name not in found:
            found.add(name)
            left += parents(revisions[name])
    return found


class Look(CommandLine):
    def run_cmd(self, config, options):
        script = ScriptDirectory.from_config(config)
        revisions = read(script)
        if sys.argv[1:]:
            revision = revisions.get(sys.argv[1])
            said = {"found": revision is not None, "down": revision is not None and has_way_down(revision)}
        else:
            current = applied_at(config, script)
            applied = ancestors(revisions, current)
            said = {
                "heads": list(script.get_heads()),
                "current": current,
                "applied": [name for name in revisions if name in applied],
                "pending": [
                    {"id": name, "parents": parents(revision), "down": has_way_down(revision)}
                    for name, revision in revisions.items()
                    if name not in applied
                ],
            }
        print(json.dumps(said), file=answer)


try:
    Look(prog="alembic").main(["current"])
except CommandError as error:
    sys.exit(str(error))
`;
