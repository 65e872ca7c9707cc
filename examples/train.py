"""A small real training: a neural network learns to recognise digits, in plain Python.

The digits are drawn by the script itself, seven-segment shapes with noise, so nothing is downloaded. Several worker
processes work out the gradients of their share of each batch; the parent averages them and takes the step, as data
parallel training does on GPUs.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import random
import time
from collections.abc import Sequence

SEGMENTS = (
    "1110111", "0010010", "1011101", "1011011", "0111010", "1101011", "1101111", "1010010", "1111111", "1111011",
)  # fmt: skip
"""Which of the seven segments each digit lights."""
PIXELS_PER_SEGMENT = 6
INPUTS, HIDDEN, CLASSES = 7 * PIXELS_PER_SEGMENT, 24, 10
NOISE = 0.35

Vector = list[float]
Matrix = list[Vector]
Weights = tuple[Matrix, Matrix]
Example = tuple[Vector, int]


def draw(dice: random.Random) -> Example:
    """A noisy digit and its class."""
    digit = dice.randrange(CLASSES)
    lit = (float(segment) for segment in SEGMENTS[digit] for _ in range(PIXELS_PER_SEGMENT))
    return [pixel + dice.gauss(0, NOISE) for pixel in lit], digit


def new_weights(dice: random.Random) -> Weights:
    """Small random weights; the last column of each row is the bias."""

    def matrix(rows: int, columns: int) -> Matrix:
        scale = 1 / math.sqrt(columns)
        return [[dice.gauss(0, scale) for _ in range(columns + 1)] for _ in range(rows)]

    return matrix(HIDDEN, INPUTS), matrix(CLASSES, HIDDEN)


def forward(weights: Weights, pixels: Vector) -> tuple[Vector, Vector]:
    """The hidden activations and the class probabilities."""
    first, second = weights
    hidden = [math.tanh(_dot(row, pixels)) for row in first]
    scores = [_dot(row, hidden) for row in second]
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    whole = sum(powers)
    return hidden, [power / whole for power in powers]


def _dot(row: Vector, values: Vector) -> float:
    return sum(weight * value for weight, value in zip(row, values, strict=False)) + row[-1]


def gradients(task: tuple[Weights, Sequence[Example]]) -> tuple[Weights, float]:
    """The summed gradients of the cross-entropy over the examples, and the summed loss."""
    weights, examples = task
    first = [[0.0] * (INPUTS + 1) for _ in range(HIDDEN)]
    second = [[0.0] * (HIDDEN + 1) for _ in range(CLASSES)]
    loss = 0.0
    for pixels, digit in examples:
        hidden, chances = forward(weights, pixels)
        loss -= math.log(max(chances[digit], 1e-12))
        errors = [chance - (number == digit) for number, chance in enumerate(chances)]
        for row, error in zip(second, errors, strict=True):
            _accumulate(row, hidden, error)
        for unit, row in enumerate(first):
            back = sum(error * weights[1][number][unit] for number, error in enumerate(errors))
            _accumulate(row, pixels, back * (1 - hidden[unit] ** 2))
    return (first, second), loss


def _accumulate(row: Vector, values: Vector, error: float) -> None:
    for position, value in enumerate(values):
        row[position] += error * value
    row[-1] += error


def step(weights: Weights, parts: Sequence[Weights], rate: float) -> None:
    """Move the weights against the summed gradients."""
    for part in parts:
        for matrix, slopes in zip(weights, part, strict=True):
            for row, slope in zip(matrix, slopes, strict=True):
                for position, value in enumerate(slope):
                    row[position] -= rate * value


def accuracy(weights: Weights, examples: Sequence[Example]) -> float:
    """Share of examples whose most probable class is right."""
    right = 0
    for pixels, digit in examples:
        _, chances = forward(weights, pixels)
        right += chances.index(max(chances)) == digit
    return right / len(examples)


def train(seconds: float, workers: int, batch: int, seed: int) -> float:
    """Train for about `seconds`; the accuracy on examples that were not trained on."""
    dice = random.Random(seed)
    weights = new_weights(dice)
    held_out = [draw(dice) for _ in range(300)]
    deadline = time.monotonic() + seconds
    steps = 0
    with multiprocessing.Pool(workers) as pool:
        while steps == 0 or time.monotonic() < deadline:
            shares = [[draw(dice) for _ in range(batch // workers)] for _ in range(workers)]
            results = pool.map(gradients, [(weights, share) for share in shares])
            step(weights, [slopes for slopes, _ in results], 0.5 / batch)
            steps += 1
            if steps % 20 == 0:
                loss = sum(loss for _, loss in results) / batch
                print(f"step {steps}: loss {loss:.3f}", flush=True)
    score = accuracy(weights, held_out)
    print(f"trained {steps} steps with {workers} workers: accuracy {score:.2f} on {len(held_out)} unseen digits")
    return score


def main() -> None:
    """Read the options and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    train(options.seconds, options.workers, options.batch, options.seed)


if __name__ == "__main__":
    main()
