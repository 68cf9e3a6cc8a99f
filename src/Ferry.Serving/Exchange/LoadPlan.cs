namespace Ferry.Serving.Exchange;

/// <summary>What one request wants loaded, and from whom.</summary>
/// <param name="Chunks">Consecutive, the one that the engine's own prefix ends in first.</param>
/// <param name="LocalTokens">Tokens that the engine has.</param>
/// <param name="Lender">The prefill node that holds the chunks, or null.</param>
internal sealed record LoadPlan(
    string RequestId, string Salt, IReadOnlyList<WantedChunk> Chunks, int LocalTokens, HandoverParams? Lender, RequestTrace Trace)
{
    /// <summary>The lender's grant for reading, once there is one; 0 before.</summary>
    public ulong GrantId { get; set; }

    /// <summary>Tokens of a chunk that the engine does not have.</summary>
    public int NewTokens(WantedChunk chunk) => Math.Max(0, chunk.FirstToken + chunk.TokenCount - Math.Max(LocalTokens, chunk.FirstToken));
}
