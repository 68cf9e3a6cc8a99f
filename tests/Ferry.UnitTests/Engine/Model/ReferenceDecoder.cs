using Ferry.TestKit.Models;

namespace Ferry.UnitTests.Engine.Model;

/// <summary>The same decoder in plain double arithmetic, written from the definition and sharing nothing with the engine: no pages, no batches, no vectors.</summary>
internal sealed class ReferenceDecoder(TinyModelShape shape, IReadOnlyDictionary<string, TinyTensor> tensors)
{
    /// <summary>How a number changes when it is kept as K or V; the engine keeps bf16 by default.</summary>
    public Func<double, double> Keep { get; init; } = value => value;

    /// <summary>Angle per position of each pair of a head.</summary>
    public Func<int, double>? Frequency { get; init; }

    /// <summary>Logits of every position.</summary>
    public double[][] Logits(IReadOnlyList<int> tokens)
    {
        var states = tokens.Select(token => Row("model.embed_tokens.weight", token)).ToArray();
        for (int layer = 0; layer < shape.Layers; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            Attend(states, prefix);
            foreach (double[] state in states)
            {
                double[] normed = Norm(state, prefix + "post_attention_layernorm.weight");
                double[] gate = Product(prefix + "mlp.gate_proj", normed);
                double[] up = Product(prefix + "mlp.up_proj", normed);
                Add(state, Product(prefix + "mlp.down_proj", [.. gate.Select((g, i) => g / (1 + Math.Exp(-g)) * up[i])]));
            }
        }
        string head = shape.TiedEmbeddings ? "model.embed_tokens" : "lm_head";
        return [.. states.Select(state => Product(head, Norm(state, "model.norm.weight")))];
    }

    private void Attend(double[][] states, string prefix)
    {
        int dim = shape.HeadDim;
        int group = shape.Heads / shape.KvHeads;
        var queries = new double[states.Length][];
        var keys = new double[states.Length][];
        var values = new double[states.Length][];
        for (int position = 0; position < states.Length; position++)
        {
            double[] normed = Norm(states[position], prefix + "input_layernorm.weight");
            queries[position] = Turn(Product(prefix + "self_attn.q_proj", normed), position, prefix + "self_attn.q_norm.weight");
            keys[position] = [.. Turn(Product(prefix + "self_attn.k_proj", normed), position, prefix + "self_attn.k_norm.weight").Select(Keep)];
            values[position] = [.. Product(prefix + "self_attn.v_proj", normed).Select(Keep)];
        }
        for (int position = 0; position < states.Length; position++)
        {
            var mixed = new double[shape.Heads * dim];
            for (int head = 0; head < shape.Heads; head++)
            {
                int kv = head / group;
                double[] scores = [.. Enumerable.Range(0, position + 1).Select(j =>
                    Enumerable.Range(0, dim).Sum(d => queries[position][(head * dim) + d] * keys[j][(kv * dim) + d]) / Math.Sqrt(dim))];
                double[] weights = [.. scores.Select(score => Math.Exp(score - scores.Max()))];
                for (int d = 0; d < dim; d++)
                {
                    mixed[(head * dim) + d] = weights.Select((w, j) => w * values[j][(kv * dim) + d]).Sum() / weights.Sum();
                }
            }
            Add(states[position], Product(prefix + "self_attn.o_proj", mixed));
        }
    }

    private double[] Turn(double[] heads, int position, string norm)
    {
        int dim = shape.HeadDim;
        int half = dim / 2;
        for (int start = 0; start < heads.Length; start += dim)
        {
            if (shape.HasHeadNorms)
            {
                Norm(heads[start..(start + dim)], norm).CopyTo(heads, start);
            }
            for (int i = 0; i < half; i++)
            {
                double angle = position * (Frequency?.Invoke(i) ?? Math.Pow(shape.RopeTheta, -2.0 * i / dim));
                double a = heads[start + i];
                double b = heads[start + half + i];
                heads[start + i] = (a * Math.Cos(angle)) - (b * Math.Sin(angle));
                heads[start + half + i] = (b * Math.Cos(angle)) + (a * Math.Sin(angle));
            }
        }
        return heads;
    }

    private double[] Norm(double[] x, string weight)
    {
        double scale = 1 / Math.Sqrt((x.Sum(v => v * v) / x.Length) + shape.NormEpsilon);
        return [.. x.Select((v, i) => v * scale * tensors[weight].Values[i])];
    }

    private double[] Product(string name, double[] x)
    {
        var weight = tensors[name + ".weight"];
        tensors.TryGetValue(name + ".bias", out var bias);
        var result = new double[weight.Shape[0]];
        for (int output = 0; output < result.Length; output++)
        {
            double sum = bias?.Values[output] ?? 0;
            for (int k = 0; k < x.Length; k++)
            {
                sum += x[k] * weight.Values[(output * x.Length) + k];
            }
            result[output] = sum;
        }
        return result;
    }

    private double[] Row(string name, int row) =>
        [.. tensors[name].Values.AsSpan(row * shape.HiddenSize, shape.HiddenSize).ToArray().Select(v => (double)v)];

    private static void Add(double[] target, double[] addend)
    {
        for (int i = 0; i < target.Length; i++)
        {
            target[i] += addend[i];
        }
    }
}
