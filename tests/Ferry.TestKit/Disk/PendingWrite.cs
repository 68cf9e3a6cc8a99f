namespace Ferry.TestKit.Disk;

/// <summary>A change of a file that no sync has covered yet.</summary>
/// <param name="Bytes">What is written at <paramref name="Position"/>; null for a change of length or a hole.</param>
/// <param name="LengthBytes">The new length, or -1.</param>
/// <param name="HoleBytes">Bytes that become zero, or 0.</param>
internal sealed record PendingWrite(long Position, byte[]? Bytes, long LengthBytes = -1, long HoleBytes = 0);
