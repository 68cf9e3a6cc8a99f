namespace Ferry.Cache.Tiers;

public enum MoveOutcome
{
    Moved,

    /// <summary>The source does not have the chunk.</summary>
    NotFound,

    /// <summary>The target has no room; the source keeps the chunk.</summary>
    TargetFull,

    /// <summary>The target may be read only, is off, or failed; the source keeps the chunk.</summary>
    TargetUnavailable,

    /// <summary>A record could not be read; the source keeps the chunk.</summary>
    SourceUnreadable,

    /// <summary>There is no tier of that name, or it is source and target in one.</summary>
    NoSuchTier,
}
