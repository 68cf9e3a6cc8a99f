namespace Ferry.Transfer.OneSided;

/// <summary>Bits of a Read or Write frame. On the wire; never change.</summary>
[Flags]
internal enum TransferFlags : uint
{
    None = 0,

    /// <summary>An XXH3-64 of the bytes is made and compared.</summary>
    Checksum = 1,

    /// <summary>The owner only holds the memory: the asker moves the bytes by another medium and then says so (Took).</summary>
    InPlace = 2,

    /// <summary>Write only: the owner fetches the bytes from the asker's memory by another medium, from the sources that follow.</summary>
    Fetch = 4,

    /// <summary>Read only: the asker has the bytes already, by another medium, and uses them only if the owner answers that they are the lease's still.</summary>
    Taken = 8,
}
