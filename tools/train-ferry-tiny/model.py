"""The reference model: LlamaForCausalLM's arithmetic, parameter names and layout, in plain PyTorch."""
import math

import torch
import torch.nn.functional as F

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 1024, "hidden_size": 128,
    "intermediate_size": 384, "num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 32,
    "max_position_embeddings": 2048, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "rope_scaling": None,
    "hidden_act": "silu", "attention_bias": False, "attention_dropout": 0.0, "mlp_bias": False,
    "tie_word_embeddings": True, "initializer_range": 0.02, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 0,
    "torch_dtype": "bfloat16", "use_cache": True,
}


def new_parameters(config, seed):
    generator = torch.Generator().manual_seed(seed)
    d, f, hd = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    heads, kv = config["num_attention_heads"], config["num_key_value_heads"]
    depth = 1 / math.sqrt(2 * config["num_hidden_layers"])

    def matrix(rows, columns, scale=1.0):
        return torch.randn(rows, columns, generator=generator) * (scale / math.sqrt(columns))
    parameters = {"model.embed_tokens.weight": torch.randn(config["vocab_size"], d, generator=generator) * 0.05}
    for layer in range(config["num_hidden_layers"]):
        p = f"model.layers.{layer}."
        parameters[p + "input_layernorm.weight"] = torch.ones(d)
        parameters[p + "self_attn.q_proj.weight"] = matrix(heads * hd, d)
        parameters[p + "self_attn.k_proj.weight"] = matrix(kv * hd, d)
        parameters[p + "self_attn.v_proj.weight"] = matrix(kv * hd, d)
        parameters[p + "self_attn.o_proj.weight"] = matrix(d, heads * hd, depth)
        parameters[p + "post_attention_layernorm.weight"] = torch.ones(d)
        parameters[p + "mlp.gate_proj.weight"] = matrix(f, d)
        parameters[p + "mlp.up_proj.weight"] = matrix(f, d)
        parameters[p + "mlp.down_proj.weight"] = matrix(d, f, depth)
    parameters["model.norm.weight"] = torch.ones(d)
    return parameters


def norm(x, weight, eps):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


class Rope:
    """Rotate-half RoPE, as Hugging Face's Llama applies it."""

    def __init__(self, config, length):
        hd = config["head_dim"]
        frequency = config["rope_theta"] ** (-torch.arange(0, hd, 2, dtype=torch.float32) / hd)
        angle = torch.outer(torch.arange(length, dtype=torch.float32), frequency)
        self.cos, self.sin = torch.cat([angle, angle], 1).cos(), torch.cat([angle, angle], 1).sin()

    def __call__(self, x, start=0):     # x: [batch, heads, tokens, head_dim]
        end = start + x.shape[2]
        low, high = x.chunk(2, -1)
        return x * self.cos[start:end] + torch.cat([-high, low], -1) * self.sin[start:end]


def attention(q, k, v, scale, block=256):
    """Causal attention with grouped heads, by blocks of queries: half of the scores are never computed."""
    batch, heads, tokens, hd = q.shape
    kv = k.shape[1]
    group = heads // kv
    q = (q * scale).view(batch, kv, group, tokens, hd)
    outs = []
    for start in range(0, tokens, block):
        end = min(tokens, start + block)
        rows = q[:, :, :, start:end].reshape(batch, kv, group * (end - start), hd)
        scores = (rows @ k[:, :, :end].transpose(-1, -2)).view(batch, kv, group, end - start, end).float()
        future = torch.ones(end - start, end, dtype=torch.bool).triu(start + 1)
        weights = scores.masked_fill(future, -1e30).softmax(-1).to(v.dtype)
        out = weights.view(batch, kv, group * (end - start), end) @ v[:, :, :end]
        outs.append(out.view(batch, kv, group, end - start, hd))
    return torch.cat(outs, 3).reshape(batch, heads, tokens, hd)


def hidden_states(p, config, rope, tokens, dtype=torch.float32):
    """Final hidden states [batch, tokens, hidden]; matrices are multiplied in `dtype`, the rest is float32."""
    batch, count = tokens.shape
    heads, kv, hd, eps = (config[k] for k in ("num_attention_heads", "num_key_value_heads", "head_dim", "rms_norm_eps"))

    def linear(x, name):
        return F.linear(x.to(dtype), p[name].to(dtype))
    x = p["model.embed_tokens.weight"][tokens]
    for layer in range(config["num_hidden_layers"]):
        n = f"model.layers.{layer}."
        h = norm(x, p[n + "input_layernorm.weight"], eps).to(dtype)
        q = linear(h, n + "self_attn.q_proj.weight").view(batch, count, heads, hd).transpose(1, 2)
        k = linear(h, n + "self_attn.k_proj.weight").view(batch, count, kv, hd).transpose(1, 2)
        v = linear(h, n + "self_attn.v_proj.weight").view(batch, count, kv, hd).transpose(1, 2)
        a = attention(rope(q.float()).to(dtype), rope(k.float()).to(dtype), v, hd ** -0.5)
        x = x + linear(a.transpose(1, 2).reshape(batch, count, heads * hd), n + "self_attn.o_proj.weight").float()
        h = norm(x, p[n + "post_attention_layernorm.weight"], eps).to(dtype)
        gate = F.silu(linear(h, n + "mlp.gate_proj.weight"))
        x = x + linear(gate * linear(h, n + "mlp.up_proj.weight"), n + "mlp.down_proj.weight").float()
    return norm(x, p["model.norm.weight"], eps)
