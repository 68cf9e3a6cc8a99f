namespace Ferry.Cache.Eviction;

/// <summary>Why a chunk or a record left the memory. The numbers are indices into counters.</summary>
public enum EvictionReason
{
    /// <summary>Another record needed the room.</summary>
    Capacity = 0,

    /// <summary>Another record of the same salt needed the room that the salt's quota has.</summary>
    Quota = 1,

    /// <summary>Somebody removed it by its key.</summary>
    Removed = 2,

    /// <summary>Everything, or everything of its salt, was removed.</summary>
    Cleared = 3,

    /// <summary>Another value of the same key took its place.</summary>
    Replaced = 4,

    /// <summary>Its bytes did not match their checksum.</summary>
    Damaged = 5,
}
