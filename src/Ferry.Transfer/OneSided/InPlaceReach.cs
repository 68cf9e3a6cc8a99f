namespace Ferry.Transfer.OneSided;

/// <summary>How this process gets at a peer's memory that the peer holds in place.</summary>
internal enum InPlaceReach
{
    /// <summary>Not at all: the peer sends its bytes.</summary>
    None,

    /// <summary>A medium copies out of it, piece by piece.</summary>
    Copied,

    /// <summary>It lies mapped here.</summary>
    Mapped,
}
