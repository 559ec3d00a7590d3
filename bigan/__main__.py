"""The command line: `python -m bigan COMMAND`, for people as tables and with --json for programs."""

import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro
from tyro.conf import CascadeSubcommandArgs, FlagCreatePairsOff, OmitArgPrefixes, OmitSubcommandPrefixes, subcommand

from bigan.cli.benchmark import Benchmark
from bigan.cli.checkpoints import Checkpoints
from bigan.cli.command import tell
from bigan.cli.evaluate import Evaluate
from bigan.cli.figure import Figure
from bigan.cli.gallery import BuildGallery
from bigan.cli.interpolate import Interpolate
from bigan.cli.project import Project
from bigan.cli.reconstruct import Reconstruct
from bigan.cli.reproduce import Reproduce
from bigan.cli.sample import Sample
from bigan.cli.train import Train

DONE, FAILED = 0, 1  # and 2, wrong usage, which tyro exits with

AnyCommand = (
    Annotated[Train, subcommand("train")]
    | Annotated[Evaluate, subcommand("evaluate")]
    | Annotated[Sample, subcommand("sample")]
    | Annotated[Reconstruct, subcommand("reconstruct")]
    | Annotated[Interpolate, subcommand("interpolate")]
    | Annotated[Project, subcommand("project")]
    | Annotated[Figure, subcommand("figure")]
    | Annotated[Reproduce, subcommand("reproduce")]
    | Annotated[BuildGallery, subcommand("gallery")]
    | Annotated[Checkpoints, subcommand("checkpoints")]
    | Annotated[Benchmark, subcommand("benchmark")]
)


@dataclass(frozen=True)
class Arguments:
    """Train, measure and explore bidirectional generative adversarial networks (BiGANs)."""

    command: AnyCommand


def parse(arguments: Sequence[str] | None = None) -> AnyCommand:
    """The command that these words (by default the process's) ask for.

    Raises:
        SystemExit: with 2 for wrong usage, with 0 after --help.
    """
    # options may stand before or after the name of a recipe, and need no "model." or "train." before their names
    config = (CascadeSubcommandArgs, FlagCreatePairsOff, OmitArgPrefixes, OmitSubcommandPrefixes)
    return tyro.cli(Arguments, prog="python -m bigan", args=arguments, config=config).command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0 done, 1 failed."""
    command = parse(arguments)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # standard output is for the answer alone
            answer = command.run()
    except ValueError as error:
        tell(str(error))
        return FAILED
    except OSError as error:
        tell(f"{error.filename or 'A file'}: {error.strerror or error}.")
        return FAILED
    except KeyboardInterrupt:
        tell("Stopped.")
        return FAILED
    if answer is None:  # another process speaks for this one
        return DONE
    print(json.dumps(answer.document, indent=2, allow_nan=False) if command.json else answer.text)
    return FAILED if answer.failed else DONE


if __name__ == "__main__":
    sys.exit(main())
