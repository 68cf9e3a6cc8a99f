namespace Ferry.Cache.Arena;

/// <summary>Names an allocated extent; the generation makes a second free of it an error instead of a free of somebody else's.</summary>
internal readonly record struct ExtentHandle(int Index, uint Generation);
