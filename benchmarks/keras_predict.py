"""The usual recipe, as tutorials have it: load a Keras model, predict each photo, print it.

keras_predict.py MODEL.keras CLASS_INDEX.json PHOTO...
The last line says how many seconds the loop alone took.
"""

import json
import sys
import time

import numpy as np
from keras.models import load_model
from keras.utils import img_to_array, load_img

model = load_model(sys.argv[1], compile=False)
with open(sys.argv[2]) as file:
    class_index = json.load(file)

started = time.perf_counter()
for path in sys.argv[3:]:
    image = load_img(path, target_size=(224, 224))
    batch = np.expand_dims(img_to_array(image), axis=0)
    batch = (batch - 127.0) / 128.0
    scores = model.predict(batch, verbose=0)[0]
    best = scores.argsort()[-5:][::-1]
    print(path, [(*class_index[str(column)], float(scores[column])) for column in best])
print(f"loop {time.perf_counter() - started:.6f}")
