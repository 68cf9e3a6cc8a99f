using System.Text.Json.Nodes;

namespace Ferry.Engine.Generation;

/// <summary>One increment of one choice of a request.</summary>
/// <param name="Index">Choice, 0-based.</param>
/// <param name="Text">Text that became certain with these tokens (whole UTF-8 characters, past any stop string that may still match).</param>
/// <param name="Logprobs">One entry a token when the request asked for them, else empty.</param>
/// <param name="Finish">Set on the last increment of the choice.</param>
/// <param name="PromptLogprobs">On the first increment of choice 0 when asked for: one entry a prompt token, null for the first.</param>
public sealed record GenerationOutput(
    int Index, IReadOnlyList<int> TokenIds, string Text, IReadOnlyList<TokenLogprobs> Logprobs, FinishInfo? Finish,
    IReadOnlyList<TokenLogprobs?>? PromptLogprobs = null);

/// <param name="Logprob">Natural logarithm, of the model's own distribution: before penalties, temperature and cuts.</param>
/// <param name="Rank">1 is the most likely.</param>
/// <param name="Top">Alternatives, most likely first; the chosen token is among them only if it ranks there.</param>
public sealed record TokenLogprobs(int TokenId, float Logprob, int Rank, IReadOnlyList<(int TokenId, float Logprob)> Top);

public enum FinishReason
{
    Stop,
    Length,
    Abort,
    Error,
}

/// <param name="StopReason">The stop string or the stop token id that matched; null for the end-of-text token.</param>
/// <param name="CachedTokens">Prompt tokens that were not computed: prefix cache and connector together.</param>
/// <param name="ExternalTokens">Of those, the ones that came through the connector.</param>
/// <param name="TransferParams"><c>kv_transfer_params</c> of the response, or null.</param>
public sealed record FinishInfo(
    FinishReason Reason, object? StopReason, int CachedTokens, int ExternalTokens, JsonObject? TransferParams,
    RequestTimings Timings, string? Error = null);

/// <param name="Queued">From submission until the first token of the prompt was scheduled.</param>
/// <param name="Load">Waiting for KV from outside.</param>
/// <param name="Prefill">First scheduled until the first token came out.</param>
/// <param name="Decode">First token until the last.</param>
public sealed record RequestTimings(TimeSpan Queued, TimeSpan Load, TimeSpan Prefill, TimeSpan Decode);
