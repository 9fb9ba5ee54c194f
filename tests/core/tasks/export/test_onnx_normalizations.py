from __future__ import annotations

from typing import Any

import pytest

from imgcls.core.tasks.export.onnx_normalizations import NORMALIZATIONS
from tests.core.keras.test_described import network
from tests.core.tasks.export.onnx_beside_keras import agrees, tried


@pytest.mark.parametrize(("kind", "arguments"), tried(NORMALIZATIONS))
def test_normalizations_give_what_they_give_in_keras(kind: str, arguments: dict[str, Any]) -> None:
    agrees(network(kind, arguments))
