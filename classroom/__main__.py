"""``python -m classroom``: hand out assignments, and grade what comes back."""

import argparse
import sys

from cliplab.extras import MissingExtra

from .coursework import release
from .coursework.grading import command as grading


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m classroom", description=__doc__.replace("``", "")
    )
    commands = parser.add_subparsers(required=True, metavar="{release,grade}")
    for name, command, text in (
        ("release", release, "write what students, nbgrader, otter or the site get"),
        ("grade", grading, "grade notebooks that were handed in"),
    ):
        one = commands.add_parser(
            name,
            help=text,
            description=command.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(one)
        one.set_defaults(run=command.run)
    options = parser.parse_args(arguments)
    try:
        code = options.run(options)
    except (ValueError, OSError, MissingExtra) as error:
        parser.exit(2, f"{error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "\nStopped.\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
