namespace Ferry.Transfer;

/// <summary>Why a lease ended.</summary>
public enum LeaseEnd : byte
{
    /// <summary>The reader has what it wanted, or wants it no more.</summary>
    Released = 1,

    /// <summary>Its time ran out.</summary>
    Expired = 2,

    /// <summary>The owner took it back.</summary>
    Revoked = 3,

    /// <summary>The agent was disposed.</summary>
    Closed = 4,

    /// <summary>The last connection of the reader that holds it has ended: the reader is dead or done.</summary>
    HolderGone = 5,
}
