namespace Ferry.Serving;

public enum KvChecksumState
{
    /// <summary>Nothing was loaded, so nothing was checked.</summary>
    None,

    /// <summary>Every loaded record's checksum was right.</summary>
    Verified,

    /// <summary>At least one record was damaged; it was dropped and computed anew.</summary>
    Failed,
}
