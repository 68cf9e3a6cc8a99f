using System.Text.Json.Nodes;
using Ferry.Engine.Generation;

namespace Ferry.Serving.Api.Generation;

/// <summary>One request, read and checked, ready to run.</summary>
/// <param name="PublicId">As answered: "cmpl-…" or "chatcmpl-…".</param>
/// <param name="Prompts">Token ids, one list a prompt.</param>
/// <param name="Sampling">One a prompt.</param>
internal sealed record GenerationPlan(
    string RequestId, string PublicId, IReadOnlyList<IReadOnlyList<int>> Prompts, IReadOnlyList<SamplingParams> Sampling,
    string CacheSalt, JsonObject? TransferParams, bool Stream, bool IncludeUsage, bool ContinuousUsage)
{
    public int ChoicesPerPrompt => Sampling[0].N;

    public int PromptTokens => Prompts.Sum(prompt => prompt.Count);

    /// <summary>The request came with KV to fetch, so KV should move.</summary>
    public bool ExpectsHandover =>
        TransferParams?["do_remote_prefill"] is JsonValue value && value.TryGetValue<bool>(out var remote) && remote;

    public static bool WantsUsage(GenerationBody body, bool forced) => body.StreamOptions?.IncludeUsage == true || forced;
}
