using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Reads;

/// <summary>The owner's side of one segment: checks the question against the lease and holds lease and memory while bytes leave.</summary>
/// <remarks>Reusable after <see cref="End"/>; one belongs to each stream, so that serving allocates nothing per read. Not thread-safe.</remarks>
internal sealed class ServedRead(RegionTable regions, LeaseTable leases)
{
    private readonly List<MemoryRegion> _held = [];
    private Lease? _lease;

    public List<ServedPiece> Pieces { get; } = [];

    public long Bytes { get; private set; }

    public bool WantsChecksum { get; private set; }

    public ulong LeaseId { get; private set; }

    public ulong Generation { get; private set; }

    /// <summary>
    /// Takes the payload of a Read frame. Anything but <see cref="TransferError.None"/> refuses it, and nothing is held;
    /// <see cref="TransferError.ProtocolViolation"/> means that the peer cannot be talked to any further.
    /// </summary>
    public TransferError Begin(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        Generation = reader.UInt64();
        LeaseId = reader.UInt64();
        var flags = reader.UInt32();
        var count = reader.Count(reader.UInt32(), ReadCodec.DescriptorBytes, ReadLimits.SegmentDescriptorCountMax);
        if (reader.Failed || count == 0 || reader.BytesLeft != count * ReadCodec.DescriptorBytes || (flags & ~ReadCodec.FlagChecksum) != 0)
        {
            return TransferError.ProtocolViolation;
        }
        WantsChecksum = (flags & ReadCodec.FlagChecksum) != 0;
        var error = leases.TryUse(LeaseId, Generation, out _lease);
        for (var i = 0; i < count && error == TransferError.None; i++)
        {
            error = TryAdd(ref reader);
        }
        if (error != TransferError.None)
        {
            End();
        }
        return error;
    }

    /// <summary>Whether what has left, or is about to, is still the reader's: the lease is alive and no region is being deregistered.</summary>
    public TransferError Check()
    {
        foreach (var region in _held)
        {
            if (region.IsClosing)
            {
                return TransferError.RegionUnknown;
            }
        }
        return leases.Check(_lease!);
    }

    /// <summary>Lets go of lease and memory. Does nothing the second time.</summary>
    public void End()
    {
        foreach (var region in _held)
        {
            region.EndUse();
        }
        _held.Clear();
        Pieces.Clear();
        Bytes = 0;
        if (_lease is { } lease)
        {
            _lease = null;
            leases.EndUse(lease);
        }
    }

    private TransferError TryAdd(ref WireReader reader)
    {
        var regionId = reader.UInt32();
        var reserved = reader.UInt32();
        var offset = reader.Int63();
        var bytes = reader.Int63();
        if (reader.Failed || reserved != 0)
        {
            return TransferError.ProtocolViolation;
        }
        if (!regions.TryFind(regionId, out var region))
        {
            return TransferError.RegionUnknown;
        }
        if (!_lease!.Covers(regionId, offset, bytes) || !region.Contains(offset, bytes))
        {
            return TransferError.OutOfRange;
        }
        if (bytes > ReadLimits.SegmentBytesMax - Bytes)
        {
            return TransferError.TooManyBytes;
        }
        if (!_held.Contains(region))
        {
            if (!region.TryUse())
            {
                return TransferError.RegionUnknown;
            }
            _held.Add(region);
        }
        Bytes += bytes;
        // Ranges that touch leave in one piece: fewer calls into the kernel.
        if (Pieces is [.., var last] && last.Region == region && last.Offset + last.Bytes == offset)
        {
            Pieces[^1] = last with { Bytes = last.Bytes + (int)bytes };
        }
        else
        {
            Pieces.Add(new ServedPiece(region, offset, (int)bytes));
        }
        return TransferError.None;
    }
}
