namespace Ferry.Cache.Records;

/// <summary>How firmly a chunk is pinned.</summary>
public enum PinKind
{
    /// <summary>Evicted only when nothing else is left that may go.</summary>
    Soft,

    /// <summary>Never evicted while the pin lasts.</summary>
    Hard,
}
