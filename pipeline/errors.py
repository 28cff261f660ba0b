"""Every error the project raises on purpose.

`cli.py` prints the message of a `PipelineError` and exits with its `exit_code`; anything else is a bug and keeps its
traceback. A message says what was wanted, what came, where, and what to do next, and never quotes a narrative.
"""


class PipelineError(Exception):
    """Something the caller can put right; the message says how."""

    exit_code = 2


class SchemaError(PipelineError):
    """A table does not have the columns, types or values its name promises."""


class ParameterError(PipelineError):
    """A YAML file is missing, unreadable, incomplete, or contradicts itself."""


class TaxonomyError(PipelineError):
    """A category or outcome is unknown, doubled, or not permitted."""


class SourceError(PipelineError):
    """A source file is missing, empty, altered or not what its registry file says."""


class RejectLimitError(PipelineError):
    """More rows were rejected than the declared share allows."""

    exit_code = 1


class SplitError(PipelineError):
    """The examples cannot be divided as the profile asks."""


class TrainingError(PipelineError):
    """A model could not be fitted."""


class ArtifactError(PipelineError):
    """A model artifact is missing, incomplete or damaged."""


class TrackingError(PipelineError):
    """The tracking server or its registry does not answer, or holds no champion."""


class GateError(PipelineError):
    """A model did not pass a gate it must pass before promotion."""

    exit_code = 1


class StoreError(PipelineError):
    """The store is missing, does not answer, or is asked for what it cannot do."""


class DecisionError(PipelineError):
    """A decision cannot be taken as asked: somebody else has the report, it is decided, or something is missing."""


class NotAllowedError(PipelineError):
    """A person asked for what their role or area does not allow."""


class NotSignedInError(PipelineError):
    """Nobody is signed in, or the session is over."""


class ForgedFormError(PipelineError):
    """A form did not come from a page of this session."""
