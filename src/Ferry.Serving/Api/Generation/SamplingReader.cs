using System.Globalization;
using System.Text.Json;
using Ferry.Engine.Generation;
using Ferry.Serving.Api.Errors;
using Ferry.Serving.Options;

namespace Ferry.Serving.Api.Generation;

/// <summary>Makes the engine's sampling parameters from a body, with vLLM's defaults, bounds and messages.</summary>
internal static class SamplingReader
{
    /// <summary>More stop strings would make every token's check slow.</summary>
    private const int MaxStops = 64;

    private const int MaxStopCharacters = 1024;

    /// <param name="maxTokens">Already resolved against the context; at least 1.</param>
    /// <param name="logprobs">Alternatives a token, or null.</param>
    public static SamplingParams Read(GenerationBody body, EngineInfo engine, ApiOptions limits, int maxTokens, int? logprobs, int? promptLogprobs)
    {
        var defaults = engine.DefaultSampling;
        var sampling = new SamplingParams
        {
            N = body.N ?? 1,
            MaxTokens = maxTokens,
            MinTokens = body.MinTokens ?? 0,
            Temperature = body.Temperature ?? defaults.Temperature,
            TopP = body.TopP ?? defaults.TopP,
            TopK = body.TopK ?? defaults.TopK,
            MinP = body.MinP ?? defaults.MinP,
            RepetitionPenalty = body.RepetitionPenalty ?? defaults.RepetitionPenalty,
            PresencePenalty = body.PresencePenalty ?? 0,
            FrequencyPenalty = body.FrequencyPenalty ?? 0,
            Seed = body.Seed,
            Stop = ReadStop(body.Stop),
            StopTokenIds = body.StopTokenIds ?? [],
            IncludeStopInOutput = body.IncludeStopStrInOutput ?? false,
            IgnoreEos = body.IgnoreEos ?? false,
            SkipSpecialTokens = body.SkipSpecialTokens ?? true,
            Logprobs = logprobs,
            PromptLogprobs = promptLogprobs,
            LogitBias = ReadLogitBias(body, engine.VocabularySize),
            AllowedTokenIds = body.AllowedTokenIds,
        };
        CheckRanges(sampling, limits);
        CheckTokens(sampling, engine.VocabularySize);
        return sampling;
    }

    private static void CheckRanges(SamplingParams sampling, ApiOptions limits)
    {
        Require(sampling.N >= 1, "n", $"n must be at least 1, got {sampling.N}.");
        Require(sampling.N <= limits.MaxChoices, "n", $"n must be at most {limits.MaxChoices}, got {sampling.N}.");
        Require(sampling.Temperature is >= 0 and <= 1000, "temperature", $"temperature must be non-negative and at most 1000, got {Show(sampling.Temperature)}.");
        Require(sampling.TopP is > 0 and <= 1, "top_p", $"top_p must be in (0, 1], got {Show(sampling.TopP)}.");
        Require(sampling.TopK >= -1, "top_k", $"top_k must be 0 (disable), or at least 1, got {sampling.TopK}.");
        Require(sampling.MinP is >= 0 and <= 1, "min_p", $"min_p must be in [0, 1], got {Show(sampling.MinP)}.");
        Require(sampling.PresencePenalty is >= -2 and <= 2, "presence_penalty", $"presence_penalty must be in [-2, 2], got {Show(sampling.PresencePenalty)}.");
        Require(sampling.FrequencyPenalty is >= -2 and <= 2, "frequency_penalty", $"frequency_penalty must be in [-2, 2], got {Show(sampling.FrequencyPenalty)}.");
        Require(sampling.RepetitionPenalty is > 0 and <= 1000, "repetition_penalty", $"repetition_penalty must be greater than zero, got {Show(sampling.RepetitionPenalty)}.");
        Require(sampling.MinTokens >= 0, "min_tokens", $"min_tokens must be greater than or equal to 0, got {sampling.MinTokens}.");
        Require(sampling.MinTokens <= sampling.MaxTokens, "min_tokens", $"min_tokens must be less than or equal to max_tokens={sampling.MaxTokens}, got {sampling.MinTokens}.");
        Require(sampling.Logprobs is null or >= 0, "logprobs", $"logprobs must be non-negative, got {sampling.Logprobs}.");
        Require(sampling.PromptLogprobs is null or >= 0, "prompt_logprobs", $"prompt_logprobs must be non-negative, got {sampling.PromptLogprobs}.");
        var most = Math.Max(sampling.Logprobs ?? 0, sampling.PromptLogprobs ?? 0);
        Require(most <= limits.MaxLogprobs, "logprobs", $"Requested sample logprobs of {most}, which is greater than max allowed: {limits.MaxLogprobs}");
    }

    private static void CheckTokens(SamplingParams sampling, int vocabularySize)
    {
        foreach (var token in sampling.StopTokenIds)
        {
            Require(token >= 0 && token < vocabularySize, "stop_token_ids", $"stop_token_ids contains {token}; token ids lie in 0..{vocabularySize - 1}.");
        }
        if (sampling.AllowedTokenIds is not { } allowed)
        {
            return;
        }
        Require(allowed.Count > 0, "allowed_token_ids", "allowed_token_ids is empty: no token could be generated.");
        foreach (var token in allowed)
        {
            Require(token >= 0 && token < vocabularySize, "allowed_token_ids", $"allowed_token_ids contains {token}; token ids lie in 0..{vocabularySize - 1}.");
        }
    }

    private static string[] ReadStop(JsonElement stop)
    {
        switch (stop.ValueKind)
        {
            case JsonValueKind.Undefined or JsonValueKind.Null:
                return [];
            case JsonValueKind.String:
                return CheckStops([stop.GetString()!]);
            case JsonValueKind.Array when stop.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String):
                return CheckStops([.. stop.EnumerateArray().Select(item => item.GetString()!)]);
            default:
                throw ApiException.BadRequest("stop must be a string or a list of strings.", "stop");
        }
    }

    private static string[] CheckStops(string[] stops)
    {
        Require(stops.Length <= MaxStops, "stop", $"stop has {stops.Length} strings; at most {MaxStops} are taken.");
        Require(stops.All(stop => stop.Length is > 0 and <= MaxStopCharacters), "stop", $"every stop string must have 1 to {MaxStopCharacters} characters.");
        return stops;
    }

    private static Dictionary<int, float> ReadLogitBias(GenerationBody body, int vocabularySize)
    {
        var biases = new Dictionary<int, float>();
        foreach (var (key, bias) in body.LogitBias ?? new Dictionary<string, float>())
        {
            Require(int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var token) && token < vocabularySize,
                "logit_bias", $"logit_bias has the key '{key}'; keys are token ids in 0..{vocabularySize - 1}.");
            biases[token] = Math.Clamp(bias, -100, 100);   // vLLM clamps, it does not refuse
        }
        return biases;
    }

    private static string Show(float value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static void Require(bool holds, string field, string message)
    {
        if (!holds)
        {
            throw ApiException.BadRequest(message, field);
        }
    }
}
