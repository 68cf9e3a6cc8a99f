namespace Ferry.Cli.Commands.Transport;

/// <summary>What a medium is measured against, in the same run.</summary>
internal enum BenchLimit
{
    None,

    /// <summary>Threads that only send and receive over loopback.</summary>
    RawSocket,

    /// <summary>Threads that only copy memory.</summary>
    MemoryCopy,
}
