namespace Ferry.Router.Choosing;

/// <summary>How a node failed a leg.</summary>
public enum LegFailure
{
    /// <summary>Refused, no route, no name, no TLS: the node never saw the request.</summary>
    Unreachable,

    /// <summary>No answer in time, or no progress.</summary>
    TimedOut,

    /// <summary>A status of 500 and up.</summary>
    ServerError,

    /// <summary>The connection ended inside the answer, or the answer says <c>finish_reason: "error"</c>.</summary>
    BrokenOff,

    /// <summary>An answer that cannot be used: too long, no JSON.</summary>
    BadAnswer,
}
