namespace Ferry.Kv.Conversion;

/// <summary>One layer of the sources, and the layer of the target that it becomes: between shards of whole chunks and shards that hold one layer each.</summary>
/// <param name="Source">0-based.</param>
/// <param name="Target">0-based. The target's other layers are left as they are.</param>
public readonly record struct LayerSlice(int Source, int Target);
