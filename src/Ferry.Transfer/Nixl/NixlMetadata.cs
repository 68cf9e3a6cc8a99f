namespace Ferry.Transfer.Nixl;

/// <summary>What a NIXL agent tells of itself: its metadata blob, decoded.</summary>
/// <remarks>The order of everything is kept, so that an encoded blob has the bytes that were decoded.</remarks>
/// <param name="AgentName">Unique; the name under which others know it.</param>
public sealed record NixlMetadata(string AgentName, IReadOnlyList<NixlConnection> Connections, IReadOnlyList<NixlSection> Sections)
{
    /// <summary>Ferry and vLLM move KV over this one.</summary>
    public const string UcxBackend = "UCX";

    /// <summary>The connection of a backend, or null.</summary>
    public NixlConnection? ConnectionOf(string backend) =>
        Connections.FirstOrDefault(connection => string.Equals(connection.Backend, backend, StringComparison.Ordinal));

    /// <summary>The region of a backend that holds all of a range, or null.</summary>
    public NixlRegion? RegionOf(string backend, NixlMemoryType memoryType, in NixlDescriptor range)
    {
        foreach (var section in Sections)
        {
            if (section.MemoryType != memoryType || !string.Equals(section.Backend, backend, StringComparison.Ordinal))
            {
                continue;
            }
            foreach (var region in section.Regions)
            {
                if (region.Memory.Covers(range))
                {
                    return region;
                }
            }
        }
        return null;
    }
}
