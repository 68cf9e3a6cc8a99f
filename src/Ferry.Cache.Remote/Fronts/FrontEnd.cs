namespace Ferry.Cache.Remote.Fronts;

/// <summary>Why a front ended a connection; a label of its metrics.</summary>
internal enum FrontEnd
{
    /// <summary>The client closed it, or the network did.</summary>
    ByPeer,

    /// <summary>No command for longer than the idle timeout.</summary>
    Idle,

    /// <summary>A command, handshake or transfer took too long.</summary>
    Stalled,

    /// <summary>What the client sent is not the protocol.</summary>
    Protocol,

    /// <summary>After an error that a client of fixed-size replies cannot read past.</summary>
    AfterError,

    /// <summary>The client said goodbye.</summary>
    Quit,

    /// <summary>Too many connections.</summary>
    Limit,

    /// <summary>The TLS handshake failed.</summary>
    Handshake,

    /// <summary>The front stops.</summary>
    Stopping,

    /// <summary>A defect or a broken machine; logged.</summary>
    Fault,
}
