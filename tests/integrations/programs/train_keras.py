"""A tiny training with Keras."""

# mypy: ignore-errors
# The libraries are not there where types are checked.

from __future__ import annotations

import json

import keras
import numpy as np

from aipower.integrations.keras import AipowerCallback

model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
rows, labels = np.ones((14, 4)), np.ones(14)
callback = AipowerCallback("tiny", sensors="fake")
model.fit(rows, labels, batch_size=4, epochs=2, validation_data=(rows, labels), verbose=0, callbacks=[callback])
fitted = callback.measurement
model.evaluate(rows, labels, verbose=0, callbacks=[callback])
model.predict(rows, verbose=0, callbacks=[callback])
last = callback.measurement
print()
print(json.dumps({
    "phases": [phase.path for phase in fitted.record.phases] if fitted else None,
    "work": fitted.record.work if fitted else None,
    "energy_j": fitted.energy_j if fitted else None,
    "last": [phase.path for phase in last.record.phases] if last else None,
}))  # fmt: skip
