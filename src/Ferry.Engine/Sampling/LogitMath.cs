using System.Numerics;
using System.Runtime.InteropServices;
using Ferry.Engine.Generation;

namespace Ferry.Engine.Sampling;

/// <summary>What sampling needs to know of a row of logits. Sums run in token order in double precision, so results repeat.</summary>
internal static class LogitMath
{
    /// <summary>The largest logit and the lowest token that has it; NaN as the value when any logit is NaN.</summary>
    public static (int TokenId, float Value) Max(ReadOnlySpan<float> logits)
    {
        var best = float.NegativeInfinity;
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        if (vectors.Length > 0)
        {
            var (largest, ordered) = (vectors[0], Vector.Equals(vectors[0], vectors[0]));
            foreach (var vector in vectors[1..])
            {
                largest = Vector.ConditionalSelect(Vector.GreaterThan(vector, largest), vector, largest);
                ordered &= Vector.Equals(vector, vector); // false only for NaN
            }
            if (!Vector.EqualsAll(ordered, new Vector<int>(-1))) { return (-1, float.NaN); }
            for (var lane = 0; lane < Vector<float>.Count; lane++) { best = MathF.Max(best, largest[lane]); }
        }
        foreach (var logit in logits[(vectors.Length * Vector<float>.Count)..])
        {
            if (float.IsNaN(logit)) { return (-1, float.NaN); }
            best = MathF.Max(best, logit);
        }
        return (logits.IndexOf(best), best);
    }

    /// <summary>ln Σ exp(logit).</summary>
    public static double LogSumExp(ReadOnlySpan<float> logits, float max)
    {
        var sum = 0.0;
        foreach (var logit in logits) { sum += MathF.Exp(logit - max); }
        return max + Math.Log(sum);
    }

    /// <summary>Log probability and rank of a token, with the most likely ones beside it.</summary>
    public static TokenLogprobs Logprobs(ReadOnlySpan<float> logits, int tokenId, int topCount)
    {
        var (_, max) = Max(logits);
        if (!float.IsFinite(max)) { return new TokenLogprobs(tokenId, float.NaN, 0, []); }
        var normalizer = LogSumExp(logits, max);
        var rank = 1;
        foreach (var logit in logits)
        {
            if (logit > logits[tokenId]) { rank++; }
        }
        return new TokenLogprobs(tokenId, (float)(logits[tokenId] - normalizer), rank, Top(logits, topCount, normalizer));
    }

    private static (int TokenId, float Logprob)[] Top(ReadOnlySpan<float> logits, int topCount, double normalizer)
    {
        var top = new List<(int TokenId, float Logit)>(topCount + 1);
        for (var id = 0; id < logits.Length && topCount > 0; id++)
        {
            if (top.Count == topCount && logits[id] <= top[^1].Logit) { continue; } // of equals, the lower id stays ahead
            var at = top.Count;
            while (at > 0 && top[at - 1].Logit < logits[id]) { at--; }
            top.Insert(at, (id, logits[id]));
            if (top.Count > topCount) { top.RemoveAt(topCount); }
        }
        return [.. top.Select(t => (t.TokenId, (float)(t.Logit - normalizer)))];
    }
}
