using Ferry.Transfer.Wire;

namespace Ferry.Transfer.SharedMemory;

/// <summary>What a region is to processes of the same host.</summary>
/// <param name="Descriptor">Of the memfd in its owner, or -1: memory that only process_vm_readv reaches.</param>
internal readonly record struct SharedKey(int Descriptor, long FileOffset)
{
    public static SharedKey ProcessMemory => new(-1, 0);

    public bool IsFile => Descriptor >= 0;

    public byte[] Encode()
    {
        var writer = new WireWriter();
        writer.UInt32((uint)Descriptor);
        writer.UInt64((ulong)FileOffset);
        return writer.Written.ToArray();
    }

    public static SharedKey? Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var (descriptor, offset) = ((int)reader.UInt32(), reader.Int63());
        return reader.IsComplete && descriptor >= -1 ? new SharedKey(descriptor, offset) : null;
    }
}
