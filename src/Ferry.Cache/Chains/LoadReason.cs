namespace Ferry.Cache.Chains;

/// <summary>Why so many chunks of a chain are loaded and not more.</summary>
public enum LoadReason
{
    /// <summary>Memory has all that was found, or nothing was found: there is nothing to decide.</summary>
    NothingToLoad,

    /// <summary>Loading all of it is the fastest way.</summary>
    LoadingIsFaster,

    /// <summary>Loading some of it and computing the rest is the fastest way.</summary>
    LoadingInPartIsFaster,

    /// <summary>Computing what memory does not have is the fastest way.</summary>
    ComputingIsFaster,

    /// <summary>Loaded without comparing: nobody has said how fast the engine computes.</summary>
    NoEngineRate,

    /// <summary>Loaded without comparing: the tier has not been measured yet.</summary>
    NoTierRate,

    /// <summary>Loaded although computing looked faster: the tier has not been measured for a while, and may have become faster.</summary>
    Probe,

    /// <summary>Loaded without comparing: the comparison is switched off.</summary>
    SwitchedOff,
}
