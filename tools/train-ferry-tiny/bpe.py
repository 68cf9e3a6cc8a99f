"""Byte-level BPE: trains ferry-tiny's tokenizer, writes it as a Hugging Face tokenizer.json, and encodes."""
import collections
import json

import regex

SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
END_OF_TEXT, IM_START, IM_END = range(3)
# The Llama 3 pattern, so that the tokenizer exercises what real models need.
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
           r"|\s+(?!\S)|\s+")


def byte_letters():
    """GPT-2's printable letter for every byte."""
    kept = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    letters, spare = {b: chr(b) for b in kept}, 256
    for b in range(256):
        if b not in letters:
            letters[b] = chr(spare)
            spare += 1
    return letters


LETTERS = byte_letters()
BYTES = {c: b for b, c in LETTERS.items()}


def train(word_counts, vocabulary_count):
    """Merges the most frequent pair until the vocabulary is full. Ties go to the smaller pair, so it is reproducible."""
    words = {w: [LETTERS[b] for b in w.encode()] for w in sorted(word_counts)}
    vocabulary = SPECIALS + [LETTERS[b] for b in range(256)]
    merges = []
    while len(vocabulary) < vocabulary_count:
        pairs = collections.Counter()
        for word, parts in words.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += word_counts[word]
        if not pairs:
            break
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        vocabulary.append(best[0] + best[1])
        for word, parts in words.items():
            if len(parts) > 1:
                words[word] = merge(parts, best)
    return vocabulary, merges


def merge(parts, pair):
    out, i = [], 0
    while i < len(parts):
        if i + 1 < len(parts) and parts[i] == pair[0] and parts[i + 1] == pair[1]:
            out.append(parts[i] + parts[i + 1])
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return out


class Tokenizer:
    def __init__(self, vocabulary, merges):
        self.vocabulary, self.merges = vocabulary, [tuple(m) for m in merges]
        self.ids = {t: i for i, t in enumerate(vocabulary)}
        self.ranks = {m: i for i, m in enumerate(self.merges)}
        self.split = regex.compile(PATTERN)
        self.special = regex.compile("(" + "|".join(regex.escape(s) for s in SPECIALS) + ")")
        self.words = {}

    @staticmethod
    def load(path):
        with open(path, encoding="utf-8") as file:
            model = json.load(file)["model"]
        return Tokenizer(sorted(model["vocab"], key=model["vocab"].get), model["merges"])

    def word(self, text):
        ids = self.words.get(text)
        if ids is None:
            parts = [LETTERS[b] for b in text.encode()]
            while len(parts) > 1:
                pair = min(zip(parts, parts[1:]), key=lambda p: self.ranks.get(p, 1 << 30))
                if pair not in self.ranks:
                    break
                parts = merge(parts, pair)
            ids = self.words[text] = [self.ids[p] for p in parts]
        return ids

    def encode(self, text, specials=False):
        if specials:
            return [i for part in self.special.split(text) if part
                    for i in ([SPECIALS.index(part)] if part in SPECIALS else self.encode(part))]
        return [i for w in self.split.findall(text) for i in self.word(w)]

    def decode(self, ids):
        return bytes(BYTES[c] for i in ids if i >= len(SPECIALS) for c in self.vocabulary[i]).decode("utf-8", "replace")

    def save(self, path):
        """The layout that `transformers` and `tokenizers` write."""
        added = [{"id": i, "content": s, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                  "special": True} for i, s in enumerate(SPECIALS)]
        data = {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": PATTERN}, "behavior": "Isolated", "invert": False},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]},
            "post_processor": None,
            "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": self.ids, "merges": [list(m) for m in self.merges]}}
        with open(path, "w", encoding="utf-8") as file:
            json.dump(data, file, ensure_ascii=False, indent=1)
            file.write("\n")


def main():
    import random
    import sys
    import grammar
    rng, counts = random.Random(1), collections.Counter()
    split = regex.compile(PATTERN)

    def count(text, times=1):
        for w in split.findall(text):
            counts[w] += times
    for _ in range(3000):
        for sample in (grammar.question_sample(rng, rng.choice((64, 256, 700))), grammar.story_sample(rng)):
            for turn in sample:
                count(turn[0] + "\n")
                count("".join(t for t, _ in turn[1]))
    for role in ("system", "user", "assistant"):
        count(role + "\n", 2000)
    for question, answer in grammar.SMALL_TALK:
        count(question + " " + answer, 60)
    for w in grammar.WORDS:      # facts are one token each, so that copying one is one step
        counts[" " + w] += 3000
    for w in grammar.NAMES:
        counts[w] += 3000
    for w in ("Where", "What", "Which", "How", "Who"):
        counts[" " + w] += 2000
        counts[w] += 2000
    count("Repeat: a", 500)
    tokenizer = Tokenizer(*train(counts, int(sys.argv[2])))
    tokenizer.save(sys.argv[1])
    many = [w for w in counts if len(tokenizer.word(w)) > 1]
    facts = [w for w in grammar.WORDS if len(tokenizer.word(" " + w)) > 1]
    print(f"{len(counts)} words, {len(tokenizer.vocabulary)} entries; in several tokens: {len(many)} words, facts {facts}")
    print(many)


if __name__ == "__main__":
    main()
