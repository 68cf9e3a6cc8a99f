namespace Ferry.Transfer.OneSided;

/// <summary>How a peer reaches a region by a medium other than TCP.</summary>
/// <param name="Key">In the medium's own form: a remote key, the file behind the memory.</param>
internal sealed record RegionInfo(uint RegionId, ulong Address, long Bytes, ReadOnlyMemory<byte> Key)
{
    /// <summary>A UCX remote key has some hundred bytes.</summary>
    public const int KeyBytesMax = 4096;

    /// <summary>Local regions that one segment of a write touches; one arena, or a pool a layer.</summary>
    public const int CountPerFrameMax = 64;
}
