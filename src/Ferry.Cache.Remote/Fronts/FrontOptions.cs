using System.Net;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>What every front has: where it listens, and the bounds that keep a client, hostile or slow, from taking more than its part.</summary>
public abstract record FrontOptions
{
    /// <summary>The largest value that fits a record and one call: Redis' own default limit of a bulk string.</summary>
    public const int DefaultValueBytesMax = 512 << 20;

    /// <summary>Name of the section, for error messages: <c>cache.resp</c>.</summary>
    public abstract string Section { get; }

    /// <summary>An IP address, or a name that resolves to one.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>0: the system chooses one.</summary>
    public required int Port { get; init; }

    public int ConnectionsMax { get; init; } = 1024;

    /// <summary>Of each of a connection's two buffers. Values longer than this go from the socket to their place and back without another copy.</summary>
    public int BufferBytes { get; init; } = 64 << 10;

    /// <summary>A longer value is refused before anything is reserved for it.</summary>
    public int ValueBytesMax { get; init; } = DefaultValueBytesMax;

    /// <summary>A command, a handshake or a transfer that takes longer ends the connection; a transfer may take its bytes at <see cref="TransferBytesPerSecondMin"/> besides.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A client that sends or takes a value more slowly loses its connection: what it holds (room, a lease) must end.</summary>
    public long TransferBytesPerSecondMin { get; init; } = 1 << 20;

    /// <summary>A connection that sends no command for so long is closed; null for never (LMCache keeps its connections for the life of an engine).</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>PEM file with the certificate and its chain; null for no TLS.</summary>
    public string? TlsCertificatePath { get; init; }

    /// <summary>PEM file with the certificate's private key.</summary>
    public string? TlsKeyPath { get; init; }

    /// <summary>Every error at once, each with path, value, limit and way out; empty when usable.</summary>
    public virtual IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (string.IsNullOrWhiteSpace(Host))
        {
            errors.Add($"{Section}.host is empty; write the address to listen on, such as 127.0.0.1 or 0.0.0.0.");
        }
        Bound(errors, "port", Port, 0, IPEndPoint.MaxPort);
        Bound(errors, "connectionsMax", ConnectionsMax, 1, 65_536);
        Bound(errors, "bufferBytes", BufferBytes, 16 << 10, 1 << 20);
        Bound(errors, "valueBytesMax", ValueBytesMax, 1, 1 << 30);
        Bound(errors, "transferBytesPerSecondMin", TransferBytesPerSecondMin, 1, 1L << 40);
        Bound(errors, "stallTimeout", StallTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        if (IdleTimeout is { } idle)
        {
            Bound(errors, "idleTimeout", idle, TimeSpan.FromSeconds(1), TimeSpan.FromDays(30));
        }
        CheckTls(errors);
        return errors;
    }

    private protected void Bound<T>(List<string> errors, string name, T value, T min, T max)
        where T : IComparable<T>
    {
        if (value.CompareTo(min) < 0 || value.CompareTo(max) > 0)
        {
            errors.Add($"{Section}.{name} is {value}; it must lie in {min}..{max}.");
        }
    }

    private void CheckTls(List<string> errors)
    {
        if ((TlsCertificatePath is null) != (TlsKeyPath is null))
        {
            errors.Add($"{Section}.tls needs both a certificate and its key: set {Section}.{(TlsKeyPath is null ? "tlsKeyPath" : "tlsCertificatePath")} too, or neither.");
        }
        CheckFile(errors, "tlsCertificatePath", TlsCertificatePath);
        CheckFile(errors, "tlsKeyPath", TlsKeyPath);
    }

    private void CheckFile(List<string> errors, string name, string? path)
    {
        if (path is not null && !File.Exists(path))
        {
            errors.Add($"{Section}.{name} is \"{path}\"; there is no such file.");
        }
    }
}
