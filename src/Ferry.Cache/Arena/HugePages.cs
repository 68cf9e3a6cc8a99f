namespace Ferry.Cache.Arena;

/// <summary>What became of the wish for huge pages.</summary>
public enum HugePages
{
    /// <summary>Not asked for, or not a system that has them.</summary>
    NotTried,

    /// <summary>The kernel took the advice; it may still use small pages when it has no large ones.</summary>
    Advised,

    /// <summary>The kernel has them switched off or refused the advice.</summary>
    Refused,
}
