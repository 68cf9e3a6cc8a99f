"""Measures an exported model on documents that it never saw, and makes and checks the demo documents.

  evaluate.py MODEL_DIRECTORY [--count 200] [--table ACCURACY.JSON] [--demo DEMO.JSON]
"""
import argparse
import json
import random

import torch

import export
import grammar
import train

LENGTHS = (64, 128, 256, 512, 768, 1000)
EVALUATION_SEED = 1_000_000_000     # training seeds its sampler far below


def table(engine, count):
    """Exact-match accuracy of the first question after a document, by document length."""
    rows = {}
    for split in ("test", "held-out-pairs"):
        for length in LENGTHS:
            score, kinds = train.accuracy(engine.p, engine.config, engine.rope, engine.tokenizer, length, count, split,
                                          EVALUATION_SEED + length, torch.float32, first_only=True)
            rows.setdefault(length, {})[split] = round(score, 3)
            rows[length][split + " kinds"] = kinds
            print(f"{length:5} {split:15} {score:.3f} {kinds}", flush=True)
    return {"byLength": rows, "withoutDocument": round(blind(engine, count), 3)}


def blind(engine, count):
    """Accuracy when the question comes without its document: what guessing is worth."""
    rng, right = random.Random(EVALUATION_SEED), 0
    for _ in range(count):
        turns = grammar.question_sample(rng, 256, "test", most=1)
        question, answer = turns[0][1][-1][0], "".join(text for text, _ in turns[1][1])
        right += engine.answer([("user", question)], most=24) == answer
    print(f"without document {right / count:.3f}")
    return right / count


def demo_document(engine, seed):
    """A document of 600-780 tokens and four questions about four people, of four kinds, answered right; or null."""
    stories, questions = grammar.document(random.Random(seed), 650, "test")
    text = "\n\n".join(stories)
    token_count = len(engine.tokenizer.encode(export.chat([("user", text)]), specials=True))
    if not 600 <= token_count <= 780 or len(stories) > 9:
        return None
    asked, used, people = [], set(), set()
    for kind, question, answer in questions:
        person = next(n for n in grammar.NAMES if f" {n}" in f" {question} {answer[-1][0]}")
        if kind in used or person in people:
            continue
        expected = "".join(t for t, _ in answer) + "."
        if engine.answer([("user", f"{text}\n\n{question}")]) != expected:
            continue
        asked.append({"question": question, "answer": expected})
        used.add(kind)
        people.add(person)
        if len(asked) == 4:
            return {"text": text, "tokenCount": token_count, "questions": asked}
    return None


def demo(engine):
    documents, seed = [], EVALUATION_SEED * 2
    while len(documents) < 3:
        found = demo_document(engine, seed)
        seed += 1
        if found:
            documents.append(found)
            print(f"demo document from seed {seed - 1}: {found['tokenCount']} tokens", flush=True)
    return {"about": "Prompt: one user turn, text + two line breaks + question, by the chat template; greedy decoding.",
            "documents": documents}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model")
    arguments.add_argument("--count", type=int, default=200)
    arguments.add_argument("--table")
    arguments.add_argument("--demo")
    a = arguments.parse_args()
    torch.set_num_threads(1)
    engine = export.Engine(a.model)
    for turns in (["Hello!"], ["Tell me a story about Anna and a red kite."], ["Who are you?"]):
        print(">", turns[0], "\n ", engine.answer([("user", turns[0])]))
    if a.demo:
        export.write_json(a.demo, demo(engine))
    if a.table:
        export.write_json(a.table, table(engine, a.count))


if __name__ == "__main__":
    main()
