namespace Ferry.Cache.Tiers.Disk.Index;

/// <summary>What many chunks have in common: tenant and model. Kept once while a chunk needs it.</summary>
internal sealed class DiskSpace(string salt, UInt128 model)
{
    public string Salt { get; } = salt;

    public UInt128 Model { get; } = model;

    public int ChunkCount { get; set; }
}
