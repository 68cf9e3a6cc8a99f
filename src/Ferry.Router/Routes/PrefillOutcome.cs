namespace Ferry.Router.Routes;

/// <summary>What a prefill leg came to.</summary>
/// <param name="Node">The last node tried; null when none was.</param>
/// <param name="TransferParams">Raw kv_transfer_params; empty when there is no hand-over.</param>
/// <param name="NoHandoverReason">Why there is none; null when there is.</param>
/// <param name="Refusal">A 4xx that goes to the client as it is; null otherwise.</param>
internal sealed record PrefillOutcome(Node? Node, ReadOnlyMemory<byte> TransferParams, string? NoHandoverReason, PrefillRefusal? Refusal = null)
{
    /// <summary>Time of the leg, all tries together.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Prompt tokens that the node had already; null when it did not say.</summary>
    public int? CachedTokens { get; init; }

    public static PrefillOutcome None(string reason) => new(null, default, reason);
}
