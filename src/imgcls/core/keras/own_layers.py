"""Layers of described networks that Keras does not have; import this after `import_keras`."""

from __future__ import annotations

from typing import Any

from keras import layers, ops


class ChannelScale(layers.Layer):  # type: ignore[misc] # Keras has no types
    """Multiplies each channel by a number of its own, as ConvNeXt does."""

    def build(self, input_shape: Any) -> None:
        """Make the numbers, (c,)."""
        self.gamma = self.add_weight(shape=input_shape[-1:], initializer="ones", name="gamma")

    def call(self, inputs: Any) -> Any:
        """Return (…, c) of the same shape."""
        return inputs * self.gamma


class ReverseChannels(layers.Layer):  # type: ignore[misc] # Keras has no types
    """Turns RGB into BGR."""

    def call(self, inputs: Any) -> Any:
        """Return (…, c) of the same shape."""
        return ops.flip(inputs, axis=-1)
