using Ferry.Engine.Generation;

namespace Ferry.Engine.Sampling;

/// <summary>Ranges of sampling parameters. Messages are for the user of the API.</summary>
internal static class SamplingValidator
{
    public const int MaxLogprobs = 20;
    public const int MaxChoices = 128;
    public const int MaxStops = 64;
    public const int MaxStopCharacters = 1024;

    /// <exception cref="ArgumentException">The first parameter that is out of range.</exception>
    public static void Check(SamplingParams sampling, int vocabularySize)
    {
        Require(sampling.N is >= 1 and <= MaxChoices, $"n must be in 1..{MaxChoices}, got {sampling.N}.");
        Require(sampling.MaxTokens is null or >= 1, $"max_tokens must be at least 1, got {sampling.MaxTokens}.");
        Require(sampling.MinTokens >= 0, $"min_tokens must not be negative, got {sampling.MinTokens}.");
        Require(sampling.MaxTokens is null || sampling.MinTokens <= sampling.MaxTokens,
            $"min_tokens must be at most max_tokens ({sampling.MaxTokens}), got {sampling.MinTokens}.");
        Require(float.IsFinite(sampling.Temperature) && sampling.Temperature >= 0, $"temperature must be a number of 0 or more, got {sampling.Temperature}.");
        Require(sampling.TopP is > 0 and <= 1, $"top_p must be in (0, 1], got {sampling.TopP}.");
        Require(sampling.TopK >= -1, $"top_k must be -1 or 0 (all tokens) or at least 1, got {sampling.TopK}.");
        Require(sampling.MinP is >= 0 and <= 1, $"min_p must be in [0, 1], got {sampling.MinP}.");
        Require(float.IsFinite(sampling.RepetitionPenalty) && sampling.RepetitionPenalty > 0, $"repetition_penalty must be greater than 0, got {sampling.RepetitionPenalty}.");
        Require(sampling.PresencePenalty is >= -2 and <= 2, $"presence_penalty must be in [-2, 2], got {sampling.PresencePenalty}.");
        Require(sampling.FrequencyPenalty is >= -2 and <= 2, $"frequency_penalty must be in [-2, 2], got {sampling.FrequencyPenalty}.");
        Require(sampling.Logprobs is null or (>= 0 and <= MaxLogprobs), $"logprobs must be in 0..{MaxLogprobs}, got {sampling.Logprobs}.");
        Require(sampling.PromptLogprobs is null or (>= 0 and <= MaxLogprobs), $"prompt_logprobs must be in 0..{MaxLogprobs}, got {sampling.PromptLogprobs}.");
        Require(sampling.Stop.Count <= MaxStops, $"stop has {sampling.Stop.Count} strings; at most {MaxStops} are allowed.");
        Require(sampling.StopTokenIds.Count <= MaxStops, $"stop_token_ids has {sampling.StopTokenIds.Count} ids; at most {MaxStops} are allowed.");
        foreach (var stop in sampling.Stop)
        {
            Require(stop.Length is >= 1 and <= MaxStopCharacters, $"A stop string has {stop.Length} characters; 1 to {MaxStopCharacters} are allowed.");
        }
        CheckIds("stop_token_ids", sampling.StopTokenIds, vocabularySize);
        CheckIds("logit_bias", sampling.LogitBias.Keys, vocabularySize);
        foreach (var (id, bias) in sampling.LogitBias)
        {
            Require(bias is >= -100 and <= 100, $"logit_bias of token {id} must be in [-100, 100], got {bias}.");
        }
        if (sampling.AllowedTokenIds is { } allowed)
        {
            Require(allowed.Count > 0, "allowed_token_ids must not be empty.");
            CheckIds("allowed_token_ids", allowed, vocabularySize);
        }
    }

    private static void CheckIds(string name, IEnumerable<int> ids, int vocabularySize)
    {
        foreach (var id in ids)
        {
            Require(id >= 0 && id < vocabularySize, $"{name} names token {id}; the vocabulary has 0..{vocabularySize - 1}.");
        }
    }

    private static void Require(bool condition, string message)
    {
        if (!condition) { throw new ArgumentException(message); }
    }
}
