namespace Ferry.Transfer;

/// <summary>One piece of a read: a range of the peer's registered memory, and where its bytes go.</summary>
/// <param name="Source">What to read; of at least one byte.</param>
/// <param name="Target">Region of the reading agent.</param>
/// <param name="TargetOffset">First byte in <paramref name="Target"/>; <see cref="RemoteRange.Bytes"/> bytes are written from there.</param>
public readonly record struct ReadDescriptor(RemoteRange Source, MemoryRegion Target, long TargetOffset);
