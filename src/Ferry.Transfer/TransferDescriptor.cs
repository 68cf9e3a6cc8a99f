namespace Ferry.Transfer;

/// <summary>One piece of a transfer: a range of the peer's memory, and where its bytes lie in this process.</summary>
/// <param name="Remote">What to read, or where to write; of at least one byte.</param>
/// <param name="Local">Region of this agent.</param>
/// <param name="LocalOffset">First byte in <paramref name="Local"/>; <see cref="RemoteRange.Bytes"/> bytes from there are written by a read and read by a write.</param>
public readonly record struct TransferDescriptor(RemoteRange Remote, MemoryRegion Local, long LocalOffset);
