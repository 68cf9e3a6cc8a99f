namespace Ferry.Kv.Conversion;

/// <summary>Bytes that lie in one piece in a pool and in what they are copied to.</summary>
public readonly record struct PagedRun(long SourceOffset, long TargetOffset, long Bytes);
