using System.Text.Json.Nodes;
using Ferry.Serving.Api.Streaming;
using Microsoft.AspNetCore.Http;

namespace Ferry.Serving.Api.Generation;

/// <summary>The shape of an answer: completions or chat. One request, one thread at a time.</summary>
internal interface IAnswer
{
    /// <summary>Takes an increment in, for an answer in one piece.</summary>
    void Take(in RunOutput output);

    Task WriteWholeAsync(HttpContext context, Usage usage, JsonObject? transferParams, KvProofBody? proof);

    /// <summary>Writes an increment as one event or more; an increment that shows nothing may write none.</summary>
    Task StreamAsync(SseStream stream, RunOutput output, Usage? usage, CancellationToken cancellationToken);

    /// <summary>The event without choices that ends a stream with usage.</summary>
    Task StreamUsageAsync(SseStream stream, Usage usage, KvProofBody? proof, CancellationToken cancellationToken);
}
