namespace Ferry.Transfer.Ucx;

/// <summary>Memory that UCX knows, with the key that lets a peer at it. Disposing unmaps it: nothing may read or write it by then.</summary>
internal sealed class UcxMemory(UcxHandle handle, nint address, long bytes, string memoryType, byte[] packedKey) : IDisposable
{
    public UcxHandle Handle { get; } = handle;

    public nint Address { get; } = address;

    public long Bytes { get; } = bytes;

    /// <summary>What UCX found the memory to be: <c>host</c>, <c>rocm</c>, <c>gaudi</c>…</summary>
    public string MemoryType { get; } = memoryType;

    public bool IsHost => MemoryType == MemoryRegion.HostMemory;

    /// <summary>ucp_rkey_pack's, for <see cref="UcxEndpoint.UnpackKeyAsync"/> on the other side; a few bytes on tcp, a few dozen on RDMA.</summary>
    public byte[] PackedKey { get; } = packedKey;

    /// <summary>Messages under way whose payload lies in it; for the worker's thread.</summary>
    public int Sending { get; set; }

    public void Dispose() => Handle.Dispose();
}
