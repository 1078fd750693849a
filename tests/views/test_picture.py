from __future__ import annotations

import dataclasses

import pytest
from tests.views.runs import halving, in_space, on_bowl, two_on_bowl

from fallline import FalllineError
from fallline.views import plot


def test_the_picture_that_fits() -> None:
    assert plot(halving()).axes[0].get_ylabel() == "f(x)"
    assert plot(on_bowl(), resolution=8).axes[0].get_ylabel() == "y"
    assert plot(two_on_bowl(), resolution=8).axes[0].get_title() == "bowl"
    assert [ax.get_ylabel() for ax in plot(in_space()).axes][-3:] == ["a", "b", "c"]
    assert plot(in_space(), coordinates=("b", "c"), resolution=8).axes[0].get_ylabel() == "c"
    assert plot(dataclasses.replace(halving(), objective=None)).axes[0].get_ylabel() == "f"


@pytest.mark.parametrize("kind", ["contour", "contour_3d", "surface", "histories"])
def test_every_kind(kind: str) -> None:
    assert plot(on_bowl(), kind=kind).axes


def test_kinds_of_one_coordinate() -> None:
    assert len(plot(halving(), kind="epochs").axes) == 6
    assert len(plot(halving(), kind="curve").axes) == 1


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(FalllineError, match="kind is 'surfac'; did you mean 'surface'\\?"):
        plot(on_bowl(), kind="surfac")


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(FalllineError, match="rows is no option of the picture 'contour'; Allowed: coordinates, bounds"):
        plot(on_bowl(), rows=3)
