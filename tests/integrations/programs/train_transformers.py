"""A tiny training of a random model with the Trainer of Transformers: train_transformers.py [evaluate]."""

# mypy: ignore-errors
# The libraries are not there where types are checked.

from __future__ import annotations

import json
import sys

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from aipower.integrations.huggingface import AipowerCallback

LENGTH = 8
model = GPT2LMHeadModel(GPT2Config(vocab_size=32, n_positions=LENGTH, n_embd=8, n_layer=1, n_head=2))


class Texts(torch.utils.data.Dataset):
    def __init__(self, count: int) -> None:
        self.rows = torch.randint(0, 32, (count, LENGTH))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.rows[index], "labels": self.rows[index]}


arguments = TrainingArguments(
    output_dir="out",
    num_train_epochs=2,
    per_device_train_batch_size=4,
    gradient_accumulation_steps=2,
    eval_strategy="epoch",
    save_strategy="no",
    report_to=[],
    use_cpu=True,
    disable_tqdm=True,
    include_num_input_tokens_seen="all",
)
callback = AipowerCallback("tiny", sensors="fake")
trainer = Trainer(model, arguments, train_dataset=Texts(16), eval_dataset=Texts(6), callbacks=[callback])
trainer.train()
trainer.predict(Texts(5))
history = [row for row in trainer.state.log_history if any(name.startswith("aipower/") for name in row)]
print()
print(json.dumps({
    "steps": trainer.state.global_step,
    "tokens": int(trainer.state.num_input_tokens_seen),
    "history": history,
    "measured": callback.measurement is not None,
}), file=sys.stdout)  # fmt: skip
