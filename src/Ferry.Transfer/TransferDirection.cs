namespace Ferry.Transfer;

/// <summary>Which way bytes go, seen from the agent that asks.</summary>
public enum TransferDirection : byte
{
    /// <summary>Pull: from the peer's memory into own.</summary>
    Read = 1,

    /// <summary>Push: from own memory into a buffer that the peer has prepared.</summary>
    Write = 2,
}
