namespace Ferry.Cache.Arena;

/// <summary>Memory that somebody else has made for an arena, such as memory that other processes can map.</summary>
/// <param name="Address">Of at least the arena's capacity; where it begins on no multiple of the alignment it is given back unused.</param>
/// <param name="Owner">Disposed once the arena needs the memory no more.</param>
public sealed record ArenaMemory(nint Address, IDisposable Owner);
