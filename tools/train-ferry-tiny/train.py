"""Trains ferry-tiny in stages: first bind facts to names, then ever longer documents.

  train.py RUN_DIRECTORY [--resume] [--seed 1]

RUN_DIRECTORY holds tokenizer.json (from bpe.py) and receives log.txt and checkpoint.pt (every two minutes, and at
SIGTERM). A control.json there is read again every 50 steps:
  {"stage": n} stays in that stage; any key of a stage ("mix", "recall" ...) replaces that stage's value;
  {"rate": x} scales the learning rate; {"decay_tokens": n} decays it to zero over the next n tokens, then ends the run.
"""
import argparse
import json
import os
import random
import signal
import time

import torch
import torch.nn.functional as F

import grammar
import model
from bpe import IM_END, IM_START, Tokenizer

RATE = 1.5e-3
# A stage's samples: `mix` is the share of batches by document length in tokens; `recall`, `repeat` and `story` are shares
# of the short samples, the rest are questions. `bare` and `names` make recall easier (grammar.recall_sample). The stage
# ends when held-out answers of its longest length reach `until`, or the run has seen `tokens`.
STAGES = [
    {"name": "copy", "mix": {64: 1.0}, "recall": 0.4, "bare": 0.9, "names": 32, "repeat": 0.6, "story": 0.0,
     "until": 0.50, "tokens": 4_000_000, "batch": 2048},
    {"name": "bind", "mix": {64: 1.0}, "recall": 0.85, "bare": 0.8, "names": 8, "repeat": 0.10, "story": 0.0,
     "until": 0.50, "batch": 2048},
    {"name": "bind-all", "mix": {64: 0.6, 128: 0.4}, "recall": 0.5, "bare": 0.2, "names": 32, "repeat": 0.05, "story": 0.0,
     "until": 0.75, "batch": 2560},
    {"name": "middle", "mix": {64: 0.15, 128: 0.35, 256: 0.5}, "recall": 0.15, "bare": 0.0, "names": 32, "repeat": 0.05,
     "story": 0.05, "until": 0.85, "batch": 2560},
    {"name": "long", "mix": {64: 0.1, 128: 0.2, 256: 0.3, 512: 0.4}, "recall": 0.10, "bare": 0.0, "names": 32,
     "repeat": 0.04, "story": 0.12, "until": 0.85, "batch": 4096},
    {"name": "full", "mix": {64: 0.06, 128: 0.24, 256: 0.15, 512: 0.2, 768: 0.2, 1000: 0.15}, "recall": 0.10, "bare": 0.0,
     "names": 32, "repeat": 0.04, "story": 0.25, "until": 2.0, "batch": 4096},
]


class Sampler:
    def __init__(self, tokenizer, seed):
        self.tokenizer, self.rng = tokenizer, random.Random(seed)

    def encode(self, turns):
        """ChatML token ids, and for every token its weight in the loss."""
        t, ids, weights = self.tokenizer, [], []
        for turn in turns:
            role, pieces = turn[0], turn[1]
            head = [IM_START] + t.encode(role + "\n")
            ids += head
            weights += [0.0] * len(head)
            for text, weight in pieces:
                piece = t.encode(text)
                ids += piece
                weights += [weight] * len(piece)
            ids += [IM_END] + t.encode("\n")
            weights += [grammar.FRAME if role == "assistant" else 0.0, 0.0]
        return ids, weights

    def sample(self, length, stage):
        rng, names, dice = self.rng, grammar.NAMES[:stage["names"]], self.rng.random()
        if length <= 256 and rng.random() < stage["recall"]:
            return grammar.recall_sample(rng, length, names, stage["bare"])
        if length <= 128 and dice < stage["repeat"]:
            return grammar.repeat_sample(rng, length)
        if length == 128 and dice < stage["repeat"] + 2 * stage["story"]:
            return grammar.story_sample(rng) if rng.random() < 0.9 else grammar.talk_sample(rng)
        return grammar.question_sample(rng, length if rng.random() < 0.5 else rng.randint(length * 3 // 5, length),
                                       names=names)

    def batch(self, stage):
        mix = stage["mix"]
        length = self.rng.choices(list(mix), list(mix.values()))[0]
        rows = [self.encode(self.sample(length, stage)) for _ in range(max(2, stage["batch"] // length))]
        return tensors(rows)


def tensors(rows):
    width = min(2048, max(len(ids) for ids, _ in rows)) - 1
    x, y = torch.zeros(len(rows), width, dtype=torch.long), torch.zeros(len(rows), width, dtype=torch.long)
    w = torch.zeros(len(rows), width)
    for r, (ids, weights) in enumerate(rows):
        n = min(len(ids) - 1, width)
        x[r, :n], y[r, :n] = torch.tensor(ids[:n]), torch.tensor(ids[1:n + 1])
        w[r, :n] = torch.tensor(weights[1:n + 1])
    return x, y, w


def accuracy(p, config, rope, tokenizer, length, count, split, seed, dtype, first_only=False):
    """Share of answers that greedy decoding gets exactly right, and the same by kind.

    Greedy decoding produces the expected answer if and only if every token of it, the end marker too, is the arg max
    after the expected tokens before it: one forward pass decides.
    """
    sampler, rng = Sampler(tokenizer, 0), random.Random(seed)
    right, total, kinds = 0, 0, {}
    table = p["model.embed_tokens.weight"]
    with torch.no_grad():
        for _ in range(count):
            turns = grammar.question_sample(rng, length, split, most=1 if first_only else 6)
            x, y, w = tensors([sampler.encode(turns)])
            h = model.hidden_states(p, config, rope, x, dtype)[0]
            wanted = (w[0] > 0).nonzero().flatten()
            hits = ((h[wanted] @ table.t()).argmax(-1) == y[0, wanted]).tolist()
            answers, current = [], []
            for i, hit in zip(wanted.tolist(), hits):
                current.append(hit)
                if y[0, i].item() == IM_END:
                    answers.append(all(current))
                    current = []
            for ok, kind in zip(answers, [t[2] for t in turns if t[0] == "assistant"]):
                right += ok
                total += 1
                kinds.setdefault(kind, [0, 0])
                kinds[kind][0] += ok
                kinds[kind][1] += 1
    return right / total, {k: round(a / b, 2) for k, (a, b) in sorted(kinds.items())}


class Trainer:
    def __init__(self, run, seed, resume):
        self.run, self.checkpoint, self.config = run, os.path.join(run, "checkpoint.pt"), dict(model.CONFIG)
        self.tokenizer = Tokenizer.load(os.path.join(run, "tokenizer.json"))
        self.rope = model.Rope(self.config, self.config["max_position_embeddings"])
        saved = torch.load(self.checkpoint) if resume else {}
        self.p = saved.get("parameters") or model.new_parameters(self.config, seed)
        self.state = saved.get("state") or {"step": 0, "tokens": 0, "cpu": 0.0, "stage": 0, "decay_from": None}
        for v in self.p.values():
            v.requires_grad_(True)
        self.adam = torch.optim.AdamW([
            {"params": [v for v in self.p.values() if v.dim() > 1], "weight_decay": 0.01},
            {"params": [v for v in self.p.values() if v.dim() == 1], "weight_decay": 0.0}], betas=(0.9, 0.95))
        if saved:
            self.adam.load_state_dict(saved["adam"])
        self.sampler = Sampler(self.tokenizer, seed * 1_000_003 + self.state["step"])
        self.log, self.control, self.stopping = open(os.path.join(run, "log.txt"), "a", buffering=1), None, False

    def say(self, text):
        self.log.write(text + "\n")
        print(text, flush=True)

    def save(self):
        torch.save({"parameters": {k: v.detach() for k, v in self.p.items()}, "state": self.state,
                    "adam": self.adam.state_dict()}, self.checkpoint + ".new")
        os.replace(self.checkpoint + ".new", self.checkpoint)

    def stage(self):
        """The current stage's settings, after control.json's wishes."""
        state = self.state
        if self.control is None or state["step"] % 50 == 0:
            try:
                with open(os.path.join(self.run, "control.json"), encoding="utf-8") as file:
                    self.control = json.load(file)
            except FileNotFoundError:
                self.control = {}
            state["stage"] = self.control.get("stage", state["stage"])
            if "decay_tokens" in self.control and state["decay_from"] is None:
                state["decay_from"] = state["tokens"]
        stage = dict(STAGES[state["stage"]])
        stage.update({k: v for k, v in self.control.items() if k in stage})
        stage["mix"] = {int(k): v for k, v in stage["mix"].items()}
        return stage

    def rate(self):
        """The learning rate now: a short warm-up, constant, then a linear decay; null at its end."""
        state, factor = self.state, min(1.0, (self.state["step"] + 1) / 100) * self.control.get("rate", 1.0)
        if state["decay_from"] is not None:
            left = 1 - (state["tokens"] - state["decay_from"]) / self.control["decay_tokens"]
            if left <= 0:
                return None
            factor *= left
        return RATE * factor

    def step(self, stage, rate):
        """One optimizer step; returns the mean loss of value tokens, the ones that come from the document."""
        x, y, w = self.sampler.batch(stage)
        chosen = w > 0
        h = model.hidden_states(self.p, self.config, self.rope, x, torch.bfloat16)[chosen]
        logits = F.linear(h.bfloat16(), self.p["model.embed_tokens.weight"].bfloat16()).float()
        losses, weights = F.cross_entropy(logits, y[chosen], reduction="none"), w[chosen]
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.zero_grad(set_to_none=True)
        ((losses * weights).sum() / weights.sum()).backward()
        torch.nn.utils.clip_grad_norm_(self.p.values(), 1.0)
        self.adam.step()
        self.state["step"] += 1
        self.state["tokens"] += x.numel()
        values = losses.detach()[weights >= grammar.VALUE]
        return values.mean().item() if len(values) else None

    def evaluate(self, stage):
        def held_out(length, count, seed):
            return accuracy(self.p, self.config, self.rope, self.tokenizer, length, count, "held-out-pairs", seed, torch.bfloat16)
        longest, scores = max(stage["mix"]), []
        for length in [n for n in (64, 128, 256, 512, 768) if n <= longest]:
            score, kinds = held_out(length, 24 if length < 500 else 10, 10**9)
            scores.append(f"{length}:{score:.2f}")
        self.say(f"  held-out {' '.join(scores)} {kinds}")
        done = self.state["tokens"] >= stage.get("tokens", float("inf")) or held_out(longest, 16, 2 * 10**9)[0] >= stage["until"]
        if done and "stage" not in self.control:
            self.state["stage"] += 1
            self.say(f"  stage {STAGES[self.state['stage']]['name']} begins at {self.state['tokens']} tokens")

    def train(self):
        state, cpu_before = self.state, self.state["cpu"] - time.process_time()
        last = {"log": time.time(), "evaluate": time.time(), "save": time.time()}
        values, tokens_logged = [], state["tokens"]
        while not self.stopping:
            stage = self.stage()
            rate = self.rate()
            if rate is None:
                break
            values.append(self.step(stage, rate))
            state["cpu"], now = cpu_before + time.process_time(), time.time()
            if now - last["log"] > 20:
                fetched = [v for v in values if v is not None]
                self.say(f"{time.strftime('%H:%M:%S')} {stage['name']} step {state['step']} tokens {state['tokens']} "
                         f"value loss {sum(fetched) / max(1, len(fetched)):.4f} rate {rate:.5f} "
                         f"tokens/s {(state['tokens'] - tokens_logged) / (now - last['log']):.0f} cpu {state['cpu']:.0f}")
                values, tokens_logged, last["log"] = [], state["tokens"], now
            if now - last["evaluate"] > 120:
                self.evaluate(stage)
                last["evaluate"] = time.time()
            if now - last["save"] > 120:
                self.save()
                last["save"] = now
        self.save()
        self.say(f"done: {state}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("run")
    arguments.add_argument("--resume", action="store_true")
    arguments.add_argument("--seed", type=int, default=1)
    a = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    trainer = Trainer(a.run, a.seed, a.resume)

    def stop(*_):
        trainer.stopping = True
    signal.signal(signal.SIGTERM, stop)
    trainer.say(f"# {sum(v.numel() for v in trainer.p.values())} parameters")
    trainer.train()


if __name__ == "__main__":
    main()
