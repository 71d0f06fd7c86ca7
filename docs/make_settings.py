"""Writes the table of docs/settings.md from analysis/settings.py: ``python docs/make_settings.py``.

The test of the same name holds the page against the code.
"""

from enum import Enum
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from analysis.settings import Settings

PAGE = Path(__file__).with_name("settings.md")
BEGIN = "<!-- settings: made by docs/make_settings.py -->\n"
END = "<!-- end of settings -->\n"


def table() -> str:
    """The settings as a Markdown table, in the order of the code."""
    lines = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    lines += [_row(name.upper(), field) for name, field in Settings.model_fields.items()]
    return "\n".join(lines) + "\n"


def page(current: str) -> str:
    """`current` with its table renewed."""
    head, _, rest = current.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + BEGIN + table() + END + tail


def _row(name: str, field: FieldInfo) -> str:
    default = "required" if field.default is PydanticUndefined else _value(field.default)
    return f"| `{name}` | {_type(field)} | {default} | {field.description} |"


def _value(value: Any) -> str:
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    text = value.value if isinstance(value, Enum) else str(value)
    return f"`{text}`" if text else "empty"


def _type(field: FieldInfo) -> str:
    kind = field.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " \\| ".join(f"`{member.value}`" for member in kind)
    names = {"SecretStr": "secret", "str": "text", "int": "whole number", "float": "number", "Path": "folder"}
    name = names.get(getattr(kind, "__name__", ""), str(kind))
    bounds = [
        f"{sign} {getattr(rule, word):g}"
        for rule in field.metadata
        for word, sign in (("gt", ">"), ("ge", "≥"), ("le", "≤"))
        if getattr(rule, word, None) is not None
    ]
    return f"{name} {', '.join(bounds)}".strip()


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
