namespace Ferry.Transfer;

/// <summary>How far a transfer had come when it ended.</summary>
public enum TransferPhase : byte
{
    /// <summary>The arguments were refused; nothing was sent.</summary>
    Prepare = 1,
    Connect = 2,
    Handshake = 3,

    /// <summary>A question over the side channel: locate, prepare, extend, release, notify.</summary>
    SideChannel = 4,

    /// <summary>The owner checked the lease, before or after it sent bytes.</summary>
    Lease = 5,

    /// <summary>Bytes were on the way to the reader.</summary>
    Read = 6,

    /// <summary>All bytes had come and were compared with their checksum.</summary>
    Verify = 7,

    /// <summary>Bytes were on the way to the owner.</summary>
    Write = 8,
}
