using System.Runtime.InteropServices;
using Ferry.Transfer;
using Ferry.Transfer.Probe;

namespace Ferry.TestKit.Transfer;

/// <summary>More native memory than an array can have. Dispose it after the region.</summary>
public sealed class LargeArena : IDisposable
{
    private const int StepBytes = 1 << 20;

    private readonly ProbeArena _arena;

    /// <param name="bytes">A multiple of 1 MiB.</param>
    public LargeArena(ITransferAgent agent, long bytes)
    {
        _arena = new ProbeArena(bytes, ProbeMemory.Private);
        Region = agent.Register(_arena.Address, bytes);
    }

    public MemoryRegion Region { get; }

    /// <summary>Makes every word unlike all others.</summary>
    public void Number()
    {
        for (var at = 0L; at < _arena.Bytes; at += StepBytes)
        {
            var words = MemoryMarshal.Cast<byte, ulong>(_arena.Span(at, StepBytes));
            for (var i = 0; i < words.Length; i++)
            {
                words[i] = Word(at, i);
            }
        }
    }

    /// <summary>Offset of the first megabyte that is not as <see cref="Number"/> wrote it, or -1.</summary>
    public long FirstWrong()
    {
        for (var at = 0L; at < _arena.Bytes; at += StepBytes)
        {
            var words = MemoryMarshal.Cast<byte, ulong>(_arena.Span(at, StepBytes));
            for (var i = 0; i < words.Length; i++)
            {
                if (words[i] != Word(at, i))
                {
                    return at;
                }
            }
        }
        return -1;
    }

    public void Dispose() => _arena.Dispose();

    private static ulong Word(long at, int index) => (ulong)(at + index) * 0x9E3779B97F4A7C15 + 1;
}
