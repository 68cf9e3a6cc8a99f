using Ferry.Transfer.Host;

namespace Ferry.Serving.Options;

/// <summary>What the user said about how KV travels; what it comes to depends on the host and is found at start.</summary>
/// <param name="UcxTls">UCX_TLS as given, read without error; null when not set.</param>
/// <param name="Preference">FERRY_TRANSFER.</param>
public sealed record TransportSelection(string? UcxTls, MediaPreference Preference)
{
    /// <summary>Nothing was said: whatever the host has.</summary>
    public static TransportSelection Default { get; } = new(null, MediaPreference.Auto);
}
