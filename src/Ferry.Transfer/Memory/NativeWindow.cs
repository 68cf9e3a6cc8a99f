using System.Buffers;

namespace Ferry.Transfer;

/// <summary>Shows one range of a region at a time as <see cref="Memory{T}"/>, so that a socket can use it without a copy or an allocation.</summary>
/// <remarks>
/// The memory returned by <see cref="Of"/> is valid until the next <see cref="Of"/>. Whoever holds the window holds a use of the region,
/// which is what keeps the pointer alive.
/// </remarks>
internal sealed unsafe class NativeWindow : MemoryManager<byte>
{
    private byte* _address;
    private int _bytes;

    public Memory<byte> Of(MemoryRegion region, long offset, int bytes)
    {
        if (!region.Contains(offset, bytes))
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"[{offset}, +{bytes}) lies outside region {region.Id} of {region.Bytes} bytes.");
        }
        _address = (byte*)region.Address + offset;
        _bytes = bytes;
        return CreateMemory(bytes);
    }

    public override Span<byte> GetSpan() => new(_address, _bytes);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_address + elementIndex);

    public override void Unpin()
    {
        // Native memory does not move.
    }

    protected override void Dispose(bool disposing)
    {
        // Owns nothing.
    }
}
