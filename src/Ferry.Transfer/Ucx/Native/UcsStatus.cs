namespace Ferry.Transfer.Ucx.Native;

/// <summary>ucs_status_t (ucs/type/status.h): a packed enum, so one signed byte everywhere.</summary>
internal enum UcsStatus : sbyte
{
    Ok = 0,
    InProgress = 1,
    NoMessage = -1,
    NoResource = -2,
    IoError = -3,
    NoMemory = -4,
    InvalidParameter = -5,
    Unreachable = -6,
    InvalidAddress = -7,
    NoElement = -12,
    NoDevice = -14,

    /// <summary>From ucp_worker_arm: events are waiting, make progress before sleeping.</summary>
    Busy = -15,
    Canceled = -16,
    OutOfRange = -19,
    TimedOut = -20,
    Unsupported = -22,
    NotConnected = -24,
    ConnectionReset = -25,
    EndpointTimeout = -80,

    /// <summary>The least status: a pointer from here up is an error and no request.</summary>
    Last = -100,
}
