namespace Ferry.Engine.Sampling;

/// <summary>The tokens that temperature, top-k, min-p and top-p leave, and the draw among them. Scratch of one thread, reused.</summary>
internal sealed class Candidates(int vocabularySize)
{
    // exp(x) in float is zero below this: such tokens can never be drawn.
    private const float NegligibleExponent = -104f;

    private readonly int[] _ids = new int[vocabularySize];
    private readonly float[] _weights = new float[vocabularySize]; // probabilities, up to a common factor: the most likely token's is 1
    private readonly float[] _order = new float[vocabularySize];
    private int _count;

    /// <param name="uniform">In [0, 1).</param>
    /// <param name="max">The largest logit; finite.</param>
    public int Draw(ReadOnlySpan<float> logits, float max, float temperature, int topK, float topP, float minP, double uniform)
    {
        var least = topK > 0 && topK < logits.Length ? KthLargest(logits, topK) : float.NegativeInfinity;
        _count = 0;
        for (var id = 0; id < logits.Length; id++)
        {
            var exponent = (logits[id] - max) / temperature;
            if (logits[id] < least || exponent < NegligibleExponent) { continue; }
            var weight = MathF.Exp(exponent);
            if (weight < minP) { continue; }
            (_ids[_count], _weights[_count]) = (id, weight);
            _count++;
        }
        if (topP < 1f) { KeepNucleus(topP); }
        return Pick(uniform);
    }

    /// <summary>Value of the k-th largest logit: all that equal it stay, as in vLLM.</summary>
    private float KthLargest(ReadOnlySpan<float> logits, int k)
    {
        logits.CopyTo(_order);
        var (low, high, target) = (0, logits.Length - 1, logits.Length - k);
        while (low < high) // quickselect, ascending, middle of three as pivot
        {
            var pivot = MiddleOf(_order[low], _order[(low + high) / 2], _order[high]);
            var (i, j) = (low, high);
            while (i <= j)
            {
                while (_order[i] < pivot) { i++; }
                while (_order[j] > pivot) { j--; }
                if (i <= j)
                {
                    (_order[i], _order[j]) = (_order[j], _order[i]);
                    (i, j) = (i + 1, j - 1);
                }
            }
            if (target <= j) { high = j; }
            else if (target >= i) { low = i; }
            else { break; }
        }
        return _order[target];
    }

    private static float MiddleOf(float a, float b, float c) => MathF.Max(MathF.Min(a, b), MathF.Min(MathF.Max(a, b), c));

    /// <summary>Keeps the smallest set of most likely tokens whose probability reaches topP; of equals, the lower ids first.</summary>
    private void KeepNucleus(float topP)
    {
        var total = Sum();
        // Tokens lighter than this weigh less than 1 - topP together, so they all lie behind the cut: no need to sort them.
        var negligible = (1.0 - topP) * total / _count;
        var kept = 0;
        for (var i = 0; i < _count; i++)
        {
            if (_weights[i] < negligible) { continue; }
            (_ids[kept], _weights[kept], _order[kept]) = (_ids[i], _weights[i], -_weights[i]);
            kept++;
        }
        SortStable(kept);
        var (sum, count) = (0.0, 0);
        while (count < kept && (count == 0 || sum < topP * total)) { sum += _weights[count++]; }
        _count = count;
    }

    /// <summary>By weight, heaviest first; ids are ascending before, and stay so among equals.</summary>
    private void SortStable(int count)
    {
        var keys = new (float Negative, int Id)[count];
        for (var i = 0; i < count; i++) { keys[i] = (_order[i], _ids[i]); }
        Array.Sort(keys);
        for (var i = 0; i < count; i++) { (_weights[i], _ids[i]) = (-keys[i].Negative, keys[i].Id); }
    }

    private double Sum()
    {
        var sum = 0.0;
        for (var i = 0; i < _count; i++) { sum += _weights[i]; }
        return sum;
    }

    private int Pick(double uniform)
    {
        var target = uniform * Sum();
        var sum = 0.0;
        for (var i = 0; i < _count; i++)
        {
            sum += _weights[i];
            if (target < sum) { return _ids[i]; }
        }
        return _ids[_count - 1]; // rounding left the target at the very end
    }
}
