using Ferry.Kv.Ucx;
using Ferry.Transfer.Nixl.SideChannel;
using Ferry.Transfer.Ucx;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Transfer.Nixl;

/// <summary>How Ferry stands among NIXL agents.</summary>
public sealed record NixlAgentOptions
{
    /// <summary>Unique among all agents that meet.</summary>
    public required string Name { get; init; }

    public UcxOptions Ucx { get; init; } = new();

    /// <summary>NIXL's own side channel; null for none, where metadata travels otherwise (vLLM's handshake carries it).</summary>
    public NixlCommOptions? SideChannel { get; init; }

    /// <summary>The UCX of peers that do not say it themselves: every NIXL agent that is not Ferry. Null refuses them.</summary>
    public UcxVersion? PeerUcxVersion { get; init; }

    public int PeerCountMax { get; init; } = 1024;

    /// <summary>Notifications that wait to be taken; beyond them new ones are dropped, and that is logged.</summary>
    public int NotificationCountMax { get; init; } = 16_384;

    public NixlLimits Limits { get; init; } = new();

    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <exception cref="TransferConfigurationException">Every error at once.</exception>
    internal void ThrowIfInvalid()
    {
        var errors = new List<string>();
        var nameBytes = System.Text.Encoding.UTF8.GetByteCount(Name);
        if (nameBytes < 1 || nameBytes > Limits.NameBytesMax) { errors.Add($"Name has {nameBytes} bytes; it must have 1 to {Limits.NameBytesMax}."); }
        if (PeerCountMax < 1) { errors.Add($"PeerCountMax is {PeerCountMax}; it must be at least 1."); }
        if (NotificationCountMax < 1) { errors.Add($"NotificationCountMax is {NotificationCountMax}; it must be at least 1."); }
        if (errors.Count > 0)
        {
            throw new TransferConfigurationException(string.Join(Environment.NewLine, errors));
        }
    }
}
