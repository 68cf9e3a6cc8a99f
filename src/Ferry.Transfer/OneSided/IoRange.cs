using System.Runtime.InteropServices;

namespace Ferry.Transfer.OneSided;

/// <summary>The system's <c>struct iovec</c>: an address and a length.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct IoRange(nint address, nuint bytes)
{
    public readonly nint Address = address;
    public readonly nuint Bytes = bytes;

    /// <summary>The caller holds a use of the region until the call that gets this has returned: that keeps the address alive.</summary>
    public static IoRange Of(MemoryRegion region, long offset, int bytes)
    {
        if (!region.Contains(offset, bytes))
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"[{offset}, +{bytes}) lies outside region {region.Id} of {region.Bytes} bytes.");
        }
        return new IoRange(region.Address + (nint)offset, (nuint)bytes);
    }
}
