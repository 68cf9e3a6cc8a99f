namespace Ferry.Transfer.Nixl;

/// <summary>What is believed of bytes of others.</summary>
public sealed record NixlLimits
{
    /// <summary>One blob. A vLLM rank registers a region a layer: under 100 KiB; NIXL itself takes up to 1 GiB.</summary>
    public int BlobBytesMax { get; init; } = 16 << 20;

    /// <summary>Agent and backend names.</summary>
    public int NameBytesMax { get; init; } = 1024;

    /// <summary>Backends of one agent; NIXL 1.4 has 14.</summary>
    public int ConnectionCountMax { get; init; } = 64;

    /// <summary>Connection information; a UCX worker address has a few hundred bytes.</summary>
    public int ConnectionBytesMax { get; init; } = 64 << 10;

    /// <summary>Backends times memory types.</summary>
    public int SectionCountMax { get; init; } = 320;

    /// <summary>Regions, and descriptors of one list.</summary>
    public int DescriptorCountMax { get; init; } = 1 << 20;

    /// <summary>A packed key; UCX's have under 200 bytes on hosts with eight NICs.</summary>
    public int RemoteKeyBytesMax { get; init; } = 64 << 10;

    /// <summary>One notification. vLLM's longest, a push registration, names every block of a request.</summary>
    public int NotificationBytesMax { get; init; } = 1 << 20;
}
