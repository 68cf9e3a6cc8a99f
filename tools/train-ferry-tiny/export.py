"""Writes a checkpoint as a Hugging Face model directory, and golden data for engines that implement it.

  export.py CHECKPOINT TOKENIZER.JSON MODEL_DIRECTORY [--golden GOLDEN.JSON]
"""
import argparse
import json
import os
import shutil
import struct

import torch

import model
from bpe import END_OF_TEXT, IM_END, IM_START, SPECIALS, Tokenizer

CHAT_TEMPLATE = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + "
                 "'<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


def chat(turns, generation_prompt=True):
    """What the chat template makes of `(role, content)` turns."""
    text = "".join(f"<|im_start|>{role}\n{content}<|im_end|>\n" for role, content in turns)
    return text + ("<|im_start|>assistant\n" if generation_prompt else "")


def write_json(path, data):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(data, file, ensure_ascii=False, indent=2)
        file.write("\n")


def write_safetensors(path, tensors):
    """The safetensors layout: header length, JSON header padded to 8 bytes, little-endian bf16 data by name."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name in sorted(tensors):
        bytes_count = tensors[name].numel() * 2
        header[name] = {"dtype": "BF16", "shape": list(tensors[name].shape), "data_offsets": [offset, offset + bytes_count]}
        offset += bytes_count
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):
            file.write(tensors[name].contiguous().view(torch.int16).numpy().tobytes())


def read_safetensors(path):
    """Parameters as float32, exactly as stored."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    out = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            values = torch.frombuffer(data, dtype=torch.int16, count=(end - start) // 2, offset=start)
            out[name] = values.view(torch.bfloat16).float().view(entry["shape"])
    return out


class Engine:
    """Greedy generation with a KV cache kept in bf16: K (after RoPE) and V are rounded when they are written, and
    attention reads the rounded values. All arithmetic is float32 over the stored bf16 weights."""

    def __init__(self, directory):
        with open(os.path.join(directory, "config.json"), encoding="utf-8") as file:
            self.config = json.load(file)
        self.p = read_safetensors(os.path.join(directory, "model.safetensors"))
        self.tokenizer = Tokenizer.load(os.path.join(directory, "tokenizer.json"))
        self.rope = model.Rope(self.config, self.config["max_position_embeddings"])

    def forward(self, tokens, cache):
        """Logits after the last of `tokens`; `cache` holds one (K, V) a layer and grows."""
        p, c = self.p, self.config
        heads, kv, hd, eps = (c[k] for k in ("num_attention_heads", "num_key_value_heads", "head_dim", "rms_norm_eps"))
        count, past = len(tokens), cache[0][0].shape[1] if cache else 0
        x = p["model.embed_tokens.weight"][torch.tensor(tokens)]
        for layer in range(c["num_hidden_layers"]):
            n = f"model.layers.{layer}."
            h = model.norm(x, p[n + "input_layernorm.weight"], eps)
            q = (h @ p[n + "self_attn.q_proj.weight"].t()).view(count, heads, hd).transpose(0, 1)
            k = (h @ p[n + "self_attn.k_proj.weight"].t()).view(count, kv, hd).transpose(0, 1)
            v = (h @ p[n + "self_attn.v_proj.weight"].t()).view(count, kv, hd).transpose(0, 1)
            q, k = self.rope(q[None], past)[0], self.rope(k[None], past)[0].bfloat16().float()
            v = v.bfloat16().float()
            if past:
                k, v = torch.cat([cache[layer][0], k], 1), torch.cat([cache[layer][1], v], 1)
                cache[layer] = (k, v)
            else:
                cache.append((k, v))
            group = heads // kv
            scores = q.reshape(kv, group, count, hd) @ k[:, None].transpose(-1, -2) * hd ** -0.5
            future = torch.ones(count, past + count, dtype=torch.bool).triu(past + 1)
            a = scores.masked_fill(future, -1e30).softmax(-1) @ v[:, None]
            x = x + a.reshape(heads, count, hd).transpose(0, 1).reshape(count, -1) @ p[n + "self_attn.o_proj.weight"].t()
            h = model.norm(x, p[n + "post_attention_layernorm.weight"], eps)
            gate = torch.nn.functional.silu(h @ p[n + "mlp.gate_proj.weight"].t())
            x = x + (gate * (h @ p[n + "mlp.up_proj.weight"].t())) @ p[n + "mlp.down_proj.weight"].t()
        return model.norm(x[-1], p["model.norm.weight"], eps) @ p["model.embed_tokens.weight"].t()

    def generate(self, tokens, most, stop=(IM_END, END_OF_TEXT)):
        """(logits after the prompt, greedy tokens without the stop token)."""
        with torch.no_grad():
            cache, out = [], []
            first = logits = self.forward(tokens, cache)
            while len(out) < most:
                token = int(logits.argmax())
                if token in stop:
                    break
                out.append(token)
                logits = self.forward([token], cache)
        return first, out

    def answer(self, turns, most=160):
        return self.tokenizer.decode(self.generate(self.tokenizer.encode(chat(turns), specials=True), most)[1])


TOKENIZER_CASES = [
    "", " ", "Anna found a red kite.", "What colour was the kite of Anna?", "One sunny morning Anna went to the garden.",
    "two  spaces   three    four", "\ttab\t\ttabs", "line\nline\n\nline\r\nline\n", "  leading and trailing  ",
    "a \n b\n \n c", "don't I'LL we've Anna's", "1 22 333 4444 1234567", "x1y22z", "naïve café Zoë", "Grüße aus Köln",
    "日本語のテキスト", "Привет, мир!", "مرحبا", "emoji 🙂👍🏽 end", "e\u0301 combining", "\u00a0nbsp\u2003em", "²³½ Ⅷ ٣",
    "#$%& (hello) [x] {y} -- ... !!\n\n", "under_score snake_case", "http://example.org/a?b=c", "\x00\x01\x7f", "\ufeffbom",
    "<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n", "<|endoftext|>", "text<|im_end|>text <|im_end|> text",
    "<|im_start|", "<|unknown|>", "<|im_end|><|im_end|>",
]


def golden(engine, prompts):
    """Logits and greedy tokens (24, past any end marker) for prompts, and tokenizer cases."""
    cases = []
    for text in prompts:
        ids = engine.tokenizer.encode(text, specials=True)
        logits, out = engine.generate(ids, 24, stop=())
        top = logits.topk(10)
        cases.append({"text": text, "promptTokens": ids, "topTokens": top.indices.tolist(),
                      "topLogits": [round(v, 5) for v in top.values.tolist()], "greedyTokens": out,
                      "greedyText": engine.tokenizer.decode(out)})
    return {
        "about": "Reference: float32 arithmetic over the bf16 weights; K (after RoPE) and V are rounded to bf16 (nearest, "
                 "ties to even) when written to the cache, and attention reads the rounded values. top*: after the whole prompt. "
                 "greedyTokens: 24 tokens, not stopped at an end marker; greedyText leaves special tokens out.",
        "generation": cases,
        "tokenizer": [{"text": t, "ids": engine.tokenizer.encode(t, specials=True)} for t in TOKENIZER_CASES],
    }


def golden_prompts():
    import random
    import grammar
    rng = random.Random(77)
    turns = grammar.question_sample(rng, 600, "test", most=1)
    short = grammar.question_sample(rng, 120, "test", most=1)
    text = ["".join(piece[0] for piece in t[0][1]) for t in (turns, short)]
    return [chat([("user", text[1])]), chat([("user", "Tell me a story about Anna and a red kite.")]), chat([("user", text[0])])]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("checkpoint")
    arguments.add_argument("tokenizer")
    arguments.add_argument("out")
    arguments.add_argument("--golden")
    a = arguments.parse_args()
    os.makedirs(a.out, exist_ok=True)
    saved = torch.load(a.checkpoint)
    write_safetensors(os.path.join(a.out, "model.safetensors"), {k: v.bfloat16() for k, v in saved["parameters"].items()})
    write_json(os.path.join(a.out, "config.json"), model.CONFIG)
    write_json(os.path.join(a.out, "generation_config.json"),
               {"bos_token_id": END_OF_TEXT, "eos_token_id": [IM_END, END_OF_TEXT], "pad_token_id": END_OF_TEXT,
                "do_sample": False, "max_new_tokens": 160})
    shutil.copy(a.tokenizer, os.path.join(a.out, "tokenizer.json"))
    special = {str(i): {"content": s, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False,
                        "special": True} for i, s in enumerate(SPECIALS)}
    write_json(os.path.join(a.out, "tokenizer_config.json"),
               {"tokenizer_class": "PreTrainedTokenizerFast", "added_tokens_decoder": special, "add_bos_token": False,
                "add_prefix_space": False, "bos_token": "<|endoftext|>", "eos_token": "<|im_end|>",
                "pad_token": "<|endoftext|>", "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
                "clean_up_tokenization_spaces": False, "model_max_length": 2048, "chat_template": CHAT_TEMPLATE})
    print(f"{a.out}: {saved['state']}")
    if a.golden:
        os.makedirs(os.path.dirname(a.golden), exist_ok=True)
        write_json(a.golden, golden(Engine(a.out), golden_prompts()))


if __name__ == "__main__":
    main()
