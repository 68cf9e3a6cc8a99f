using Ferry.Cache.Arena;
using Ferry.Transfer;
using Ferry.Transfer.SharedMemory;

namespace Ferry.Serving.Exchange;

/// <summary>Memory for the memory tier that processes of this host can map, where the system has such.</summary>
internal sealed class SharedTierMemory
{
    private SharedArena? _arena; // Owned by the tier's arena once provided.

    /// <summary>For <see cref="KvArena"/>; called once. Null where there is none, and the arena takes its own.</summary>
    public ArenaMemory? Provide(long bytes)
    {
        _arena = SharedArena.TryCreate(bytes);
        return _arena is null ? null : new ArenaMemory(_arena.Address, _arena);
    }

    /// <summary>The file behind memory that begins at <paramref name="address"/>, or null if it is not what was provided.</summary>
    public SharedBacking? BackingAt(nint address) => _arena is { } arena && arena.Address == address ? arena.Backing : null;
}
