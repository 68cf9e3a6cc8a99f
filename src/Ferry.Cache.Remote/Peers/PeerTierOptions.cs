namespace Ferry.Cache.Remote.Peers;

/// <summary>Another exchange as a tier: where it is, and how long it may take.</summary>
public sealed record PeerTierOptions
{
    public required string Host { get; init; }

    /// <summary>Of its RESP front.</summary>
    public required int Port { get; init; }

    /// <summary>Null: it asks nobody for a password. Never logged.</summary>
    public string? Password { get; init; }

    public string User { get; init; } = "default";

    /// <summary>PEM file with the authority that signed the peer's certificate; null for no TLS.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>Connections at a time; more questions wait for one, within their own deadline.</summary>
    public int ConnectionsMax { get; init; } = 16;

    /// <summary>For a connection with its handshake, and for the answer what a peer has: its memory and its index of the disk say it at once.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A record of which nothing comes for so long is given up. The peer may have to read it from its disk first.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Slower than this, recomputing wins.</summary>
    public long BytesPerSecondMin { get; init; } = 16_000_000;

    /// <summary>Without the password.</summary>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"peer://[{Host}]:{Port}" : $"peer://{Host}:{Port}";

    /// <summary>Every error at once; empty when usable.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        void Require(bool holds, string error)
        {
            if (!holds)
            {
                errors.Add(error);
            }
        }
        Require(Uri.CheckHostName(Host) != UriHostNameType.Unknown, $"peers.host is \"{Host}\"; write the name or the address of an exchange.");
        Require(Port is >= 1 and <= 65_535, $"peers.port is {Port}; it must lie in 1..65535.");
        Require(ConnectionsMax is >= 1 and <= 1024, $"peers.connectionsMax is {ConnectionsMax}; it must lie in 1..1024.");
        foreach (var (name, value) in new[] { ("answerTimeout", AnswerTimeout), ("stallTimeout", StallTimeout) })
        {
            Require(value > TimeSpan.Zero && value <= TimeSpan.FromHours(1), $"peers.{name} is {value}; it must be more than zero and at most an hour.");
        }
        Require(BytesPerSecondMin >= 1, $"peers.bytesPerSecondMin is {BytesPerSecondMin}; it must be at least 1.");
        return errors;
    }
}
