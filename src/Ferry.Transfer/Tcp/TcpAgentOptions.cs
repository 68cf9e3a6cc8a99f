using System.Text;
using Ferry.Transfer.Tls;

namespace Ferry.Transfer.Tcp;

/// <summary>Options of a <see cref="TcpTransferAgent"/>.</summary>
public sealed record TcpAgentOptions : TransferAgentOptions
{
    /// <summary>Under this a secret can be guessed from one recorded handshake.</summary>
    public const int SharedSecretBytesMin = 16;

    /// <summary>This node's *own* address, to bind (<c>VLLM_NIXL_SIDE_CHANNEL_HOST</c>); never the peer's. A name is resolved once.</summary>
    public string Host { get; init; } = "localhost";

    /// <summary>Port of side channel and data (<c>VLLM_NIXL_SIDE_CHANNEL_PORT</c>, default 5600 as there); 0 takes a free one.</summary>
    public int Port { get; init; } = 5600;

    /// <summary>What peers are told to connect to, where it is not <see cref="Host"/> (address translation, 0.0.0.0); null for none.</summary>
    public string? AdvertisedHost { get; init; }

    /// <summary>Proved by both ends of every connection; required unless <see cref="Host"/> is loopback. TLS does not replace it.</summary>
    public string? SharedSecret { get; init; }

    /// <summary>Data connections to each peer. Two is the first value tried (docs/measurements/transfer-tcp.md).</summary>
    public int StreamsPerPeer { get; init; } = 2;

    /// <summary>
    /// SO_SNDBUF and SO_RCVBUF. 0 leaves them to the kernel, which grows them up to tcp_wmem and tcp_rmem; a number turns that
    /// off and is cut to net.core.wmem_max and rmem_max, which a stock kernel sets to 208 KiB.
    /// </summary>
    public int SocketBufferBytes { get; init; }

    /// <summary>Connections accepted at one time, of all peers: 64 peers with one control and three data connections.</summary>
    public int ConnectionCountMax { get; init; } = 256;

    /// <summary>Side channel calls under way, per connection and direction. More wait in the socket.</summary>
    public int CallCountMax { get; init; } = 64;

    /// <summary>
    /// An accepted peer that says nothing for this long is dead: its connections are closed and its leases end. One that says in its handshake
    /// that it pings more seldom than three times in this gets three of its own intervals.
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The most that a peer's own word stretches <see cref="IdleTimeout"/> to.</summary>
    public TimeSpan IdleTimeoutMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A peer that moves no byte for this long while bytes wait for it is cut off.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Mutual TLS 1.3 on every connection; null for none. Both ends must have it.</summary>
    public TlsFiles? Tls { get; init; }

    /// <summary>Whether bytes may travel in the connections. False: a peer that no other medium reaches is refused, with the reasons.</summary>
    public bool AllowBytesOverTcp { get; init; } = true;

    /// <summary>Memory lent to peers that measure or check the way to this agent (<c>ferry transport check</c>), made when first asked for; 0 lends none.</summary>
    public long ProbeBytes { get; init; } = 16 << 20;

    internal byte[] SecretBytes => Encoding.UTF8.GetBytes(SharedSecret ?? string.Empty);

    public override IReadOnlyList<string> Validate()
    {
        var errors = new List<string>(base.Validate());
        if (Port is < 0 or > 65535)
        {
            errors.Add($"Port is {Port}; it must lie in 0..65535.");
        }
        if (SharedSecret is not null && SecretBytes.Length < SharedSecretBytesMin)
        {
            errors.Add($"SharedSecret has {SecretBytes.Length} bytes; it must have at least {SharedSecretBytesMin}. `openssl rand -hex 32` makes one.");
        }
        AddUnlessWithin(errors, nameof(StreamsPerPeer), StreamsPerPeer, 1, 16);
        AddUnlessWithin(errors, nameof(SocketBufferBytes), SocketBufferBytes, 0, 1 << 30);
        AddUnlessWithin(errors, nameof(ConnectionCountMax), ConnectionCountMax, 1, 65_536);
        AddUnlessWithin(errors, nameof(CallCountMax), CallCountMax, 1, 4096);
        if (IdleTimeout < DeadAfter)
        {
            errors.Add($"IdleTimeout is {IdleTimeout}, less than DeadAfter ({DeadAfter}): live peers would be closed between two pings.");
        }
        if (ProbeBytes < 0)
        {
            errors.Add($"ProbeBytes is {ProbeBytes}; it must not be negative. 0 lends nothing.");
        }
        if (IdleTimeoutMax < IdleTimeout)
        {
            errors.Add($"IdleTimeoutMax is {IdleTimeoutMax}, less than IdleTimeout ({IdleTimeout}).");
        }
        if (!AllowBytesOverTcp && Media.Count == 0)
        {
            errors.Add("AllowBytesOverTcp is false and Media is empty: no byte could ever move. Add a medium, or allow TCP.");
        }
        if (StallTimeout <= TimeSpan.Zero)
        {
            errors.Add($"StallTimeout is {StallTimeout}; it must be positive.");
        }
        return errors;
    }

    private static void AddUnlessWithin(List<string> errors, string name, int value, int min, int max)
    {
        if (value < min || value > max)
        {
            errors.Add($"{name} is {value}; it must lie in {min}..{max}.");
        }
    }
}
