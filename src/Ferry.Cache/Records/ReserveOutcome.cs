namespace Ferry.Cache.Records;

/// <summary>What became of a wish for room.</summary>
public enum ReserveOutcome
{
    Reserved,

    /// <summary>The record is there already.</summary>
    Present,

    /// <summary>Somebody else is filling the same record now.</summary>
    Arriving,

    /// <summary>Larger than the whole memory or than a record may be: it never fits.</summary>
    TooLarge,

    /// <summary>What is leased and pinned leaves no room now.</summary>
    Full,

    /// <summary>The quota of the salt leaves no room, also after evicting what that salt has.</summary>
    OverQuota,
}
