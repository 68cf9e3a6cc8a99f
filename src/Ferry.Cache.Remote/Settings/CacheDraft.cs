using Ferry.Cache.Eviction;
using Ferry.Cache.Tiers.Disk;
using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Settings;

/// <summary>What LMCache's names say of a cache and its tiers, while it is being read: mutable, unchecked against each other.</summary>
public sealed class CacheDraft
{
    public int ChunkTokens { get; set; } = 256;

    public string HashAlgorithm { get; set; } = "sha256_cbor";

    public bool KeepInMemory { get; set; } = true;

    /// <summary>Per rank in an engine, of the whole node in an exchange; null: not said.</summary>
    public long? MemoryBytes { get; set; }

    public bool TryHugePages { get; set; } = true;

    public string Policy { get; set; } = EvictionPolicies.Default;

    /// <summary>Where the disk tier lies; null for none.</summary>
    public string? DiskPath { get; set; }

    /// <summary>As <see cref="MemoryBytes"/>.</summary>
    public long? DiskBytes { get; set; }

    public DiskSyncPolicy DiskSync { get; set; } = DiskSyncPolicy.Interval;

    /// <summary>The remote tier's URL as given, with where it was read: it is understood together with the endpoint once all is read.</summary>
    public SettingValue? RemoteUrl { get; set; }

    public SettingValue? S3Endpoint { get; set; }

    public string? S3Region { get; set; }

    /// <summary>LMCache's way to say http.</summary>
    public bool S3DisableTls { get; set; }

    public string? S3AccessKey { get; set; }

    public string? S3SecretKey { get; set; }

    public bool SaveDecodeCache { get; set; }

    public bool SaveUnfullChunk { get; set; }

    public TimeSpan? LoadTimeout { get; set; }

    public bool? EnablePd { get; set; }

    public string? PdRole { get; set; }

    /// <summary>LMCache's configuration file, or null.</summary>
    public string? ConfigFile { get; set; }
}
