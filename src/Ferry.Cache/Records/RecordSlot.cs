using System.Runtime.InteropServices;
using Ferry.Cache.Arena;

namespace Ferry.Cache.Records;

/// <summary>One record's entry in the <see cref="RecordTable"/>. 48 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RecordSlot
{
    /// <summary>Generation above, references below: the store's own while the record is in the index or being filled, and one for each lease and each pin of its memory.</summary>
    public long State;

    /// <summary>Bytes from the arena's base, in units of its alignment.</summary>
    public int FirstUnit;

    /// <summary>Header and payload.</summary>
    public int RecordBytes;

    public ExtentHandle Extent;

    /// <summary>Readers. Apart from the references, since a record whose memory is only pinned may be evicted: its bytes stay with the pin.</summary>
    public int Leases;

    /// <summary>The chunk that it stands in, or none. Under the store's lock.</summary>
    public int Chunk;

    /// <summary>The next record of the chunk, or the next free entry. Under the store's lock.</summary>
    public int Next;

    /// <summary>Whether a client stored it under a key of its own. Under the store's lock.</summary>
    public bool Client;

    /// <summary>Number of its layout in <see cref="LayoutTable"/>. Under the store's lock.</summary>
    public int Layout;

    /// <summary>Number of the salt that its bytes count for, or none. Under the store's lock.</summary>
    public int Salt;
}
