namespace Ferry.Transfer;

/// <summary>Why a transfer failed. The numbers below 100 are NACK reasons on the wire (docs/wire/side-channel.md) and never change.</summary>
public enum TransferError : ushort
{
    None = 0,

    LeaseUnknown = 1,
    LeaseExpired = 2,
    LeaseRevoked = 3,

    /// <summary>The descriptor belongs to another run of the owner.</summary>
    GenerationMismatch = 4,
    RegionUnknown = 5,

    /// <summary>Outside the lease's ranges, outside the region, or of no length.</summary>
    OutOfRange = 6,
    TooManyDescriptors = 7,
    TooManyBytes = 8,

    /// <summary>A bound of the owner is reached: connections, leases, calls. Try later.</summary>
    Overloaded = 9,

    /// <summary>The owner's exchange says no; its message says why.</summary>
    Refused = 10,
    VersionMismatch = 11,
    AuthenticationFailed = 12,

    /// <summary>Bytes that are not the protocol.</summary>
    ProtocolViolation = 13,

    /// <summary>The owner knows no such request or holds none of its chunks.</summary>
    NotFound = 14,

    /// <summary>The owner's handler threw; its log says what.</summary>
    InternalError = 15,

    /// <summary>Connected to this very agent: the host or port of the peer is wrong.</summary>
    ConnectedToSelf = 16,

    /// <summary>The lease is one for reading, and this was a write; or the other way round.</summary>
    NotPermitted = 17,

    /// <summary>The medium could not reach the memory, though the lease was good.</summary>
    MediumFailed = 18,

    /// <summary>The memory is an accelerator's, and what was asked for takes the CPU: bytes over TCP or shared memory, or a checksum.</summary>
    AcceleratorMemory = 19,

    Unreachable = 100,
    ConnectionLost = 101,

    /// <summary>No byte and no sign of life within the deadline.</summary>
    TimedOut = 102,
    Cancelled = 103,

    /// <summary>The peer object or the agent was disposed.</summary>
    Closed = 104,
    ChecksumMismatch = 105,
}
