using System.Runtime.InteropServices;

namespace Ferry.Transfer;

/// <summary>The source of generations, lease ids and nonces; seeded in simulations, the system's generator else.</summary>
public interface IEntropy
{
    /// <summary>Thread-safe.</summary>
    void Fill(Span<byte> destination);

    /// <summary>A number that is never 0: zero means "none" on the wire.</summary>
    ulong NextId()
    {
        var id = 0ul;
        while (id == 0)
        {
            Fill(MemoryMarshal.AsBytes(new Span<ulong>(ref id)));
        }
        return id;
    }
}
