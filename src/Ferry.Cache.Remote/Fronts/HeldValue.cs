using System.Buffers;
using Ferry.Cache.Remote.Clients;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>A value that leaves from where it lies, some time after it was looked up: held until then.</summary>
/// <param name="Value">Owned.</param>
/// <param name="Pin">Of its bytes.</param>
/// <param name="ByteCount">Of the value.</param>
/// <param name="At">Bytes of the gathered replies that go before it.</param>
internal readonly record struct HeldValue(ClientValue Value, MemoryHandle Pin, int ByteCount, int At)
{
    /// <summary>Good no longer than the value is held.</summary>
    public unsafe ReadOnlySpan<byte> Bytes => new(Pin.Pointer, ByteCount);

    public void Dispose()
    {
        Pin.Dispose();
        Value.Dispose();
    }
}
