using System.Buffers.Binary;
using Ferry.Kv.Hashing;
using Ferry.Transfer.SideChannel;

namespace Ferry.Transfer.Probe;

/// <summary>How a measurement asks a peer for memory: a locate whose request id no engine makes, and whose one "chunk" says how much of what.</summary>
internal static class ProbeQuestion
{
    public const string RequestId = "ferry.probe";

    private const int HashBytes = 9;

    public static LocateRequest Ask(long bytes, ProbeMemory memory)
    {
        Span<byte> hash = stackalloc byte[HashBytes];
        BinaryPrimitives.WriteInt64LittleEndian(hash, bytes);
        hash[8] = (byte)memory;
        return new LocateRequest(RequestId, string.Empty, UInt128.Zero, [new ChunkHash(hash)]);
    }

    /// <summary>Null for a question that is not well-formed.</summary>
    public static (long Bytes, ProbeMemory Memory)? Read(LocateRequest request)
    {
        if (request.Chunks is not [{ ByteCount: HashBytes } chunk])
        {
            return null;
        }
        Span<byte> hash = stackalloc byte[ChunkHash.MaxBytes];
        chunk.CopyTo(hash);
        var bytes = BinaryPrimitives.ReadInt64LittleEndian(hash);
        return bytes >= 1 && hash[8] <= (byte)ProbeMemory.Shared ? (bytes, (ProbeMemory)hash[8]) : null;
    }
}
