namespace Ferry.Transfer.SideChannel;

/// <summary>What a connection is for. The numbers are on the wire and never change.</summary>
internal enum ConnectionKind : byte
{
    /// <summary>Calls and pings; opens a session.</summary>
    Control = 1,

    /// <summary>Reads, in a session that a control connection has opened.</summary>
    Data = 2,
}
