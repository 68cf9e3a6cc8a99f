namespace Ferry.Kv.Conversion;

/// <summary>A nest and the source it reads; -1 for one that only writes zeros.</summary>
internal readonly record struct ConversionStep(int Source, CopyNest Nest);
