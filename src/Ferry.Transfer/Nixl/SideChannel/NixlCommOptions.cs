using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Transfer.Nixl.SideChannel;

/// <summary>How an agent takes part in NIXL's own side channel.</summary>
public sealed record NixlCommOptions
{
    /// <summary>NIXL's default.</summary>
    public const int DefaultPort = 8888;

    /// <summary>Own address to listen on.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>0 for any free one.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>NIXL's side channel proves nobody: whoever reaches the port learns keys to memory. Beyond loopback that must be said aloud.</summary>
    public bool AllowUnauthenticated { get; init; }

    public int ConnectionCountMax { get; init; } = 64;

    /// <summary>A frame that has begun is complete within this, and a question is answered within it.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A connection without a frame for this long is closed; NIXL opens another when it needs one.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    public NixlLimits Limits { get; init; } = new();

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <exception cref="TransferConfigurationException">Every error at once.</exception>
    internal void ThrowIfInvalid()
    {
        var errors = new List<string>();
        if (Port is < 0 or > ushort.MaxValue) { errors.Add($"Port is {Port}; it must lie in 0..{ushort.MaxValue}."); }
        if (ConnectionCountMax < 1) { errors.Add($"ConnectionCountMax is {ConnectionCountMax}; it must be at least 1."); }
        if (Patience <= TimeSpan.Zero) { errors.Add($"Patience is {Patience}; it must be positive."); }
        if (IdleTimeout < Patience) { errors.Add($"IdleTimeout is {IdleTimeout}; it must be at least Patience ({Patience})."); }
        if (!IPAddress.IsLoopback(Address) && !AllowUnauthenticated)
        {
            errors.Add($"NIXL's side channel would listen on {Address}, where others can reach it; it has no authentication. "
                + "Bind a loopback address, or set AllowUnauthenticated on a network that only trusted nodes are in.");
        }
        if (errors.Count > 0)
        {
            throw new TransferConfigurationException(string.Join(Environment.NewLine, errors));
        }
    }
}
