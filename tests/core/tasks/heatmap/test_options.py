from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imgcls.core.errors import UsageError
from imgcls.core.tasks.heatmap.options import DrawOptions, ExplainOptions


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "cam"}, "cam: no such method; choose one of gradcam, "),
        ({"class_name": 1, "rank": 2}, "`class_name` and `rank` both say what to explain"),
        ({"rank": 0}, "rank 0: the best class has rank 1"),
        ({"method": "eigencam", "versus": 1}, "eigencam knows no classes; leave out `versus`"),
        ({"method": "occlusion", "layer": "a"}, "not at a layer; leave out `layer`"),
        ({"workers": 0}, "`workers` must be 1 or more; it is 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ExplainOptions(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 1.5}, "`alpha` must be between 0 and 1, or evidence; it is 1.5"),
        ({"alpha": float("nan")}, "`alpha` must be between 0 and 1"),
        ({"alpha": "strong"}, "`alpha` must be between 0 and 1, or evidence; it is strong"),
        ({"dpi": 300}, "`dpi` is the size of a panel for print; it goes with `panel`"),
        ({"dpi": 71, "panel": True}, "`dpi` must be between 72 and 1200; it is 71"),
        ({"dpi": 1201, "panel": True}, "`dpi` must be between 72 and 1200; it is 1201"),
        ({"colormap": "virid"}, "virid: no such colour map; did you mean viridis"),
    ],
)
def test_drawings_that_make_no_sense_are_refused(options: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        DrawOptions(**options)


def test_drawings_that_make_sense_are_taken() -> None:
    assert DrawOptions(alpha="evidence", panel=True, dpi=300).alpha == "evidence"
    assert DrawOptions(alpha=np.float32(1)).alpha == 1
