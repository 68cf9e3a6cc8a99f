using System.Numerics;

namespace Ferry.Cache.Arena;

/// <summary>How much memory the memory tier has, for the whole node.</summary>
public sealed record KvArenaOptions
{
    /// <summary>A slot starts on a multiple of this many bytes unless told otherwise: what direct I/O asks for, so that a disk tier can write slots as they lie.</summary>
    public const int DefaultAlignmentBytes = 4096;

    /// <summary>The exact limit of all slots together, alignment included.</summary>
    public required long CapacityBytes { get; init; }

    /// <summary>A power of two, 64 (a cache line and the widest vector) to 2 MiB.</summary>
    public int AlignmentBytes { get; init; } = DefaultAlignmentBytes;

    public bool TryHugePages { get; init; } = true;

    /// <summary>Every error at once, each with the name, the value, the limit and the way out; empty when usable.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (AlignmentBytes is < 64 or > 2 << 20 || !BitOperations.IsPow2(AlignmentBytes))
        {
            errors.Add($"cache.memory.alignmentBytes is {AlignmentBytes}; it must be a power of two from 64 to {2 << 20}.");
        }
        else if (CapacityBytes < AlignmentBytes)
        {
            errors.Add($"cache.memory.capacityBytes is {CapacityBytes}, less than one slot ({AlignmentBytes} bytes). Give the cache some MiB at least.");
        }
        else if (CapacityBytes / AlignmentBytes > int.MaxValue)
        {
            errors.Add($"cache.memory.capacityBytes is {CapacityBytes}, more than {int.MaxValue} slots of {AlignmentBytes} bytes. Raise cache.memory.alignmentBytes, or lower it.");
        }
        return errors;
    }
}
