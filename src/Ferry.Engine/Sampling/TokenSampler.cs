using Ferry.Engine.Generation;

namespace Ferry.Engine.Sampling;

/// <summary>Chooses the tokens of one choice of one request. Same logits, parameters and seed give the same token, whatever else the batch holds.</summary>
/// <remarks>
/// Order as in vLLM: allowed ids, min_tokens and bias; penalties; greedy choice, or temperature, min-p, top-k and top-p.
/// Log probabilities are those of the logits as the model gave them.
/// </remarks>
/// <param name="seed">The request's seed, or the one that the engine drew for it.</param>
/// <param name="endTokens">Tokens that end the choice: eos and stop tokens; kept out until min_tokens.</param>
internal sealed class TokenSampler(
    SamplingParams sampling, IReadOnlyList<int> prompt, IReadOnlyCollection<int> endTokens, ulong seed, int choice)
{
    // Below this vLLM takes a temperature for greedy.
    private const float GreedyBelow = 1e-5f;

    private readonly HashSet<int>? _allowed = sampling.AllowedTokenIds is { } allowed ? [.. allowed] : null;
    private readonly HashSet<int>? _seen = sampling.RepetitionPenalty != 1f ? [.. prompt] : null;
    private readonly Dictionary<int, int> _outputCounts = [];

    /// <summary>Tokens chosen so far.</summary>
    public int OutputCount { get; private set; }

    /// <param name="logits">One row; overwritten.</param>
    public SampledToken Sample(Span<float> logits, Candidates candidates)
    {
        var (tokenId, max) = LogitMath.Max(logits);
        if (!float.IsFinite(max)) { return new SampledToken(-1, null, $"The model's logits are not finite (largest: {max})."); }
        var model = sampling.Logprobs is null ? null : logits.ToArray();
        Adjust(logits);
        (tokenId, max) = LogitMath.Max(logits);
        if (!float.IsFinite(max)) { return new SampledToken(-1, null, "allowed_token_ids, min_tokens and logit_bias leave no token to choose."); }
        if (sampling.Temperature >= GreedyBelow)
        {
            tokenId = candidates.Draw(logits, max, sampling.Temperature, sampling.TopK, sampling.TopP, sampling.MinP,
                Philox.Uniform(seed, (uint)choice, (ulong)OutputCount));
        }
        _outputCounts[tokenId] = _outputCounts.GetValueOrDefault(tokenId) + 1;
        _seen?.Add(tokenId);
        OutputCount++;
        return new SampledToken(tokenId, model is null ? null : LogitMath.Logprobs(model, tokenId, sampling.Logprobs!.Value), null);
    }

    private void Adjust(Span<float> logits)
    {
        if (_allowed is not null)
        {
            for (var id = 0; id < logits.Length; id++)
            {
                if (!_allowed.Contains(id)) { logits[id] = float.NegativeInfinity; }
            }
        }
        if (OutputCount < sampling.MinTokens)
        {
            foreach (var id in endTokens) { logits[id] = float.NegativeInfinity; }
        }
        foreach (var (id, bias) in sampling.LogitBias) { logits[id] += bias; }
        if (_seen is not null)
        {
            foreach (var id in _seen) { logits[id] = logits[id] > 0 ? logits[id] / sampling.RepetitionPenalty : logits[id] * sampling.RepetitionPenalty; }
        }
        if (sampling is { FrequencyPenalty: 0, PresencePenalty: 0 }) { return; }
        foreach (var (id, count) in _outputCounts) { logits[id] -= (sampling.FrequencyPenalty * count) + sampling.PresencePenalty; }
    }
}
