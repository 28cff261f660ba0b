"""The templates of the pages this room writes."""

from collections.abc import Callable

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def template(name: str, **filters: Callable[..., str]) -> Template:
    """A template of this folder; what is put into it is escaped, and nothing may be missing.

    Args:
        name: File name, such as `report.html`.
        filters: Functions it may use by their names.
    """
    environment = Environment(
        loader=PackageLoader("pipeline.evaluation", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment.get_template(name)
