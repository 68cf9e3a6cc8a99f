using Ferry.Transfer.Wire;

namespace Ferry.Transfer.OneSided;

/// <summary>The owner's side of one segment: checks the question against the lease and holds lease and memory while bytes move.</summary>
/// <remarks>
/// Reusable after <see cref="End"/>; one belongs to each stream, so that serving allocates nothing per segment. Not thread-safe, but for
/// <see cref="IsAnyRegionClosing"/> and <see cref="HasLeaseEnded"/>.
/// </remarks>
internal sealed class ServedTransfer(RegionTable regions, LeaseTable leases)
{
    private readonly List<MemoryRegion> _held = []; // its own lock
    private volatile Lease? _lease;

    public List<MemoryPiece> Pieces { get; } = [];

    public TransferDirection Direction { get; private set; }

    /// <summary>What the frame asked for; counted before anything is checked, so that a refused write's bytes can be skipped.</summary>
    public long Bytes { get; private set; }

    public TransferFlags Flags { get; private set; }

    public bool WantsChecksum => (Flags & TransferFlags.Checksum) != 0;

    public ulong LeaseId { get; private set; }

    public ulong Generation { get; private set; }

    /// <summary>
    /// Takes the payload of a Read or Write frame. Anything but <see cref="TransferError.None"/> refuses it, and nothing is held;
    /// <see cref="TransferError.ProtocolViolation"/> means that the peer cannot be talked to any further.
    /// </summary>
    /// <param name="sources">For a write that the owner fetches: what follows the descriptors. Empty else.</param>
    public TransferError Begin(TransferDirection direction, ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> sources)
    {
        sources = default;
        Direction = direction;
        var reader = new WireReader(payload);
        Generation = reader.UInt64();
        LeaseId = reader.UInt64();
        Flags = (TransferFlags)reader.UInt32();
        var count = reader.Count(reader.UInt32(), TransferCodec.DescriptorBytes, TransferLimits.SegmentDescriptorCountMax);
        var isFetch = (Flags & TransferFlags.Fetch) != 0;
        var descriptorBytes = count * TransferCodec.DescriptorBytes;
        if (reader.Failed || count == 0 || (isFetch ? reader.BytesLeft <= descriptorBytes : reader.BytesLeft != descriptorBytes)
            || !Flags.AreKnown(direction) || !TryCountBytes(payload.Slice(TransferCodec.RequestHeadBytes, descriptorBytes)))
        {
            return TransferError.ProtocolViolation;
        }
        sources = payload[(TransferCodec.RequestHeadBytes + descriptorBytes)..];
        var error = leases.TryUse(LeaseId, Generation, direction == TransferDirection.Read ? LeaseRights.Read : LeaseRights.Write, out var lease);
        _lease = lease;
        for (var i = 0; i < count && error == TransferError.None; i++)
        {
            error = TryAdd(ref reader, joins: !isFetch);
        }
        if (error != TransferError.None)
        {
            End();
        }
        return error;
    }

    /// <summary>Whether what has moved, or is about to, is still the peer's: the lease is alive and no region is being deregistered.</summary>
    public TransferError Check() => IsAnyRegionClosing() ? TransferError.RegionUnknown : leases.Check(_lease!);

    public bool IsAnyRegionClosing()
    {
        lock (_held)
        {
            foreach (var region in _held)
            {
                if (region.IsClosing)
                {
                    return true;
                }
            }
            return false;
        }
    }

    /// <summary>True while a lease is held that has ended: its owner waits for the memory.</summary>
    public bool HasLeaseEnded() => _lease is { } lease && leases.Check(lease) != TransferError.None;

    /// <summary>Lets go of lease and memory. Does nothing the second time.</summary>
    public void End()
    {
        lock (_held)
        {
            foreach (var region in _held)
            {
                region.EndUse();
            }
            _held.Clear();
        }
        Pieces.Clear();
        if (_lease is { } lease)
        {
            _lease = null;
            leases.EndUse(lease);
        }
    }

    private bool TryCountBytes(ReadOnlySpan<byte> descriptors)
    {
        Bytes = 0;
        var reader = new WireReader(descriptors);
        while (reader.BytesLeft > 0)
        {
            reader.UInt64();
            reader.Int63();
            var bytes = reader.Int63();
            if (reader.Failed || bytes > TransferLimits.SegmentBytesMax - Bytes)
            {
                return false;
            }
            Bytes += bytes;
        }
        return true;
    }

    private TransferError TryAdd(ref WireReader reader, bool joins)
    {
        var regionId = reader.UInt32();
        var reserved = reader.UInt32();
        var offset = reader.Int63();
        var bytes = reader.Int63();
        if (reserved != 0)
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
        if (!region.IsHost && (WantsChecksum || (Flags & (TransferFlags.InPlace | TransferFlags.Fetch)) == 0))
        {
            return TransferError.AcceleratorMemory;
        }
        if (!TryHold(region))
        {
            return TransferError.RegionUnknown;
        }
        // Ranges that touch move in one piece: fewer calls into the kernel.
        if (joins && Pieces is [.., var last] && last.Region == region && last.Offset + last.Bytes == offset)
        {
            Pieces[^1] = last with { Bytes = last.Bytes + (int)bytes };
        }
        else
        {
            Pieces.Add(new MemoryPiece(region, offset, (int)bytes));
        }
        return TransferError.None;
    }

    private bool TryHold(MemoryRegion region)
    {
        lock (_held)
        {
            if (_held.Contains(region))
            {
                return true;
            }
            if (!region.TryUse())
            {
                return false;
            }
            _held.Add(region);
            return true;
        }
    }
}
