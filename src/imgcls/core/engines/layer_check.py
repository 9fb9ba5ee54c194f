"""Whether a network has the layer whose features are asked for, before it is fetched or compiled.

A child process looks: it starts Keras in half the time, and nothing of it is left here.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict

from imgcls.core.child import read_request, run_child
from imgcls.core.engines.compiled.folder import compiled_folder
from imgcls.core.errors import UsageError
from imgcls.core.models.backbones import BACKBONES
from imgcls.core.models.variant import ALL_PLACES, MEAN, Variant, varied
from imgcls.core.models.weights import Network
from imgcls.core.progress import working

_NO_LAYER = 3  # what the child ends with


def check_features_layer(network: Network) -> None:
    """Make sure that there is the layer that a network is to end in.

    Nothing is done where its row or its description knows the layer, or it was compiled before.

    Args:
        network: of a variant; its weights need not be here.

    Raises:
        UsageError: there is no such layer.
    """
    spec, features = network.spec, network.variant.features
    known = features in ("", MEAN, ALL_PLACES) or spec.features_layer in ("", *spec.top_layers)
    if known or spec.described is not None:
        return
    if network.weights.is_file() and os.path.lexists(compiled_folder(network)):
        return
    request = json.dumps([network.name, asdict(network.variant)])
    with working(f"looking for {features} in {network.name}"):
        child = run_child(f"from {__name__} import main; main()", request, show=False)
    if child.returncode == _NO_LAYER:
        raise UsageError(child.stderr.decode().strip().rpartition("\n")[2])


def main() -> None:
    """Look for the layer of a variant that standard input names."""
    name, variant = json.loads(read_request())
    from imgcls.core.keras.build import build_network
    from imgcls.core.keras.graph import features_source
    from imgcls.core.keras.start import import_keras

    spec = varied(name, BACKBONES[name], Variant(**variant))
    keras = import_keras(alone=True)
    try:
        with keras.StatelessScope(initialize_variables=False):  # without memory for weights
            features_source(build_network(spec), spec)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(_NO_LAYER)
