using System.Text.Json.Nodes;

namespace Ferry.Engine.Generation;

/// <param name="RequestId">Unique among the requests in flight.</param>
/// <param name="Prompt">Token ids, at least one.</param>
/// <param name="CacheSalt">Only requests with the same salt share cached KV; empty for none.</param>
/// <param name="TransferParams">vLLM's <c>kv_transfer_params</c>, passed to the connector unread.</param>
public sealed record GenerationRequest(
    string RequestId, IReadOnlyList<int> Prompt, SamplingParams Sampling, string CacheSalt = "", JsonObject? TransferParams = null);
