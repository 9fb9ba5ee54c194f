from __future__ import annotations

import numpy as np
import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.heatmap.colors import color_table, colored


@pytest.mark.parametrize("name", ["jet", "viridis", "gray_r"])
def test_tables_are_those_of_matplotlib(name: str) -> None:
    import matplotlib

    expected = matplotlib.colormaps[name](np.linspace(0, 1, 256), bytes=True)[:, :3]
    np.testing.assert_array_equal(color_table(name), expected)


def test_an_unknown_colour_map_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="virid: no such colour map; did you mean viridis or "):
        color_table("virid")


def test_colours_go_from_blue_to_red() -> None:
    colors = colored(np.array([[0, 0.5, 1]], np.float32))
    np.testing.assert_array_equal(colors, [[[0, 0, 127], [124, 255, 121], [127, 0, 0]]])
