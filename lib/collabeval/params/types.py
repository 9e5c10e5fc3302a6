"""What every block of params is made of: the strict base, text that stays as it was written, and refusals."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

PASSWORD_IN_URL = re.compile(r"(?P<before>[a-z0-9+.]+://[^/@:\s]*):[^/@\s]+@", re.IGNORECASE)
CODE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
YEAR_PATTERN = r"^(19|20|21)\d\d$"


class Strict(BaseModel):
    """Base of every params block: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def as_written(value: Any) -> Any:
    """The characters of a number in a params file, where text is asked: `010` and `1e3` stay what they are."""
    return getattr(value, "as_written", value)


def refusal(what: str, fix: str) -> PydanticCustomError:
    """An error of a validator: what is wrong, and how to mend it."""
    return PydanticCustomError("refused", "{what} → {fix}", {"what": what, "fix": fix})


def without_password(text: str) -> str:
    """The same text with the password of every URL in it blotted out."""
    return PASSWORD_IN_URL.sub(r"\g<before>:***@", text)


Family = Literal["binomial", "poisson", "normal"]
Probability = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, BeforeValidator(as_written), WithJsonSchema({"type": ["string", "number"]})]
Code = Annotated[
    str,
    Field(pattern=CODE_PATTERN),
    BeforeValidator(as_written),
    WithJsonSchema({"type": ["string", "number"], "pattern": CODE_PATTERN}),
]
