using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Transfer.Nixl.Handshake;

/// <summary>How vLLM's handshakes are answered and asked.</summary>
public sealed record HandshakeOptions
{
    /// <summary>vLLM's default of <c>VLLM_NIXL_SIDE_CHANNEL_PORT</c>.</summary>
    public const int DefaultPort = 5600;

    /// <summary>Own address to listen on (<c>VLLM_NIXL_SIDE_CHANNEL_HOST</c>): this node's, never the peer's.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>0 for any free one.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>The handshake proves nobody and is not encrypted (vLLM docs/usage/security.md). Beyond loopback that must be said aloud.</summary>
    public bool AllowUnauthenticated { get; init; }

    /// <summary>How long a client waits for an answer; vLLM's.</summary>
    public TimeSpan AnswerWithin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>False: another hash is a warning, not the end, as with <c>enforce_handshake_compat=false</c>. Unlike vendors always differ.</summary>
    public bool EnforceCompatibility { get; init; } = true;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <exception cref="TransferConfigurationException">Every error at once.</exception>
    internal void ThrowIfInvalid()
    {
        var errors = new List<string>();
        if (Port is < 0 or > ushort.MaxValue) { errors.Add($"Port is {Port}; it must lie in 0..{ushort.MaxValue}."); }
        if (AnswerWithin <= TimeSpan.Zero) { errors.Add($"AnswerWithin is {AnswerWithin}; it must be positive."); }
        if (!IPAddress.TryParse(Host, out var address))
        {
            errors.Add($"Host is '{Host}', not an IP address. VLLM_NIXL_SIDE_CHANNEL_HOST is this node's own address.");
        }
        else if (!IPAddress.IsLoopback(address) && !AllowUnauthenticated)
        {
            errors.Add($"Handshakes would be answered on {Host}, where others can reach it; they have no authentication. "
                + "Bind a loopback address, or set AllowUnauthenticated on a network that only trusted nodes are in.");
        }
        if (errors.Count > 0)
        {
            throw new TransferConfigurationException(string.Join(Environment.NewLine, errors));
        }
    }
}
