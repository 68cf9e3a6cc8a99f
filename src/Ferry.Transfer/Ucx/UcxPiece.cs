namespace Ferry.Transfer.Ucx;

/// <summary>One range to move between own mapped memory and a peer's.</summary>
/// <param name="Local">Holds the near end.</param>
/// <param name="Offset">First byte in <paramref name="Local"/>.</param>
/// <param name="Key">Of the region that holds the far end.</param>
/// <param name="RemoteAddress">First byte there, as the peer addresses it.</param>
internal readonly record struct UcxPiece(UcxMemory Local, long Offset, UcxRemoteKey Key, ulong RemoteAddress, long Bytes);
