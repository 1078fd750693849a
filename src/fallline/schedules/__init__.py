"""Learning rate schedules: the rate as a function of the step; each is imported when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fallline.names import public, public_names
from fallline.schedules.base import SCHEDULES as SCHEDULES
from fallline.schedules.base import Schedule as Schedule
from fallline.schedules.base import watches_values as watches_values
from fallline.schedules.text import parse_schedule as parse_schedule
from fallline.schedules.text import schedule_form as schedule_form

if TYPE_CHECKING:
    from fallline.schedules.constant import *
    from fallline.schedules.cycles import *
    from fallline.schedules.decays import *
    from fallline.schedules.plateau import *
    from fallline.schedules.warm_up import *


def __dir__() -> list[str]:
    own = ["SCHEDULES", "parse_schedule", "schedule_form", "watches_values"]
    return [*own, *public_names(__name__)]


def __getattr__(name: str) -> Any:
    return __dir__() if name == "__all__" else public(name, __name__)
