namespace Ferry.Transfer.OneSided;

/// <summary>A checked transfer, cut into segments. Holds a use of every local region until <see cref="Release"/>.</summary>
internal sealed class TransferPlan
{
    private readonly ReadOnlyMemory<TransferDescriptor> _descriptors;
    private readonly List<MemoryRegion> _locals = [];

    private TransferPlan(TransferDirection direction, ReadOnlyMemory<TransferDescriptor> descriptors, InPlaceRead? inPlace)
    {
        Direction = direction;
        InPlace = inPlace;
        _descriptors = descriptors;
    }

    public TransferDirection Direction { get; }

    /// <summary>What failures on the way are failures of.</summary>
    public TransferPhase Phase => Direction == TransferDirection.Read ? TransferPhase.Read : TransferPhase.Write;

    /// <summary>What reads the bytes in place of a copy; null: they are copied to where the descriptors say.</summary>
    public InPlaceRead? InPlace { get; }

    public List<TransferSegment> Segments { get; } = [];

    public long Bytes { get; private set; }

    /// <summary>Returns null and the reason if a descriptor or the whole is refused.</summary>
    /// <param name="reachesAccelerators">Whether the bytes move by a medium that local memory of an accelerator is for.</param>
    /// <param name="segmentBytesOf">Given the bytes of all, the most that one segment may have; 1 to <see cref="TransferLimits.SegmentBytesMax"/>.</param>
    /// <param name="inPlace">What reads the bytes where they lie, all in one segment; null for a copy.</param>
    public static TransferPlan? TryCreate(
        TransferDirection direction, ReadOnlyMemory<TransferDescriptor> descriptors, TransferLimits limits, Func<long, int> segmentBytesOf,
        bool reachesAccelerators, RegionTable regions, out TransferOutcome refusal, InPlaceRead? inPlace = null)
    {
        refusal = default;
        if (descriptors.Length == 0 || descriptors.Length > limits.DescriptorCountMax)
        {
            refusal = Refuse(descriptors.Length == 0 ? TransferError.OutOfRange : TransferError.TooManyDescriptors,
                $"A transfer has 1 to {limits.DescriptorCountMax} descriptors, not {descriptors.Length}.");
            return null;
        }
        var plan = new TransferPlan(direction, descriptors, inPlace);
        for (var i = 0; i < descriptors.Length; i++)
        {
            ref readonly var descriptor = ref descriptors.Span[i];
            if (plan.TryAdd(i, in descriptor, limits, reachesAccelerators, regions) is { IsSuccess: false } refused)
            {
                plan.Release();
                refusal = refused;
                return null;
            }
        }
        plan.Cut(inPlace is null ? segmentBytesOf(plan.Bytes) : TransferLimits.SegmentBytesMax);
        if (inPlace is not null && plan.Segments.Count > 1)
        {
            plan.Release();
            refusal = Refuse(TransferError.TooManyBytes, $"{plan.Bytes} bytes in {descriptors.Length} pieces are more than an owner holds in one go, or of several leases.");
            return null;
        }
        return plan;
    }

    /// <summary>Gives the local regions back; called once.</summary>
    public void Release()
    {
        foreach (var local in _locals)
        {
            local.EndUse();
        }
        _locals.Clear();
    }

    /// <summary>The pieces of a segment, in the order in which their bytes travel.</summary>
    public TransferPieces PiecesOf(in TransferSegment segment) => new(_descriptors, segment);

    private TransferOutcome TryAdd(int index, in TransferDescriptor descriptor, TransferLimits limits, bool reachesAccelerators, RegionTable regions)
    {
        var remote = descriptor.Remote;
        if (remote.Bytes < 1 || remote.Offset < 0 || remote.Offset > long.MaxValue - remote.Bytes)
        {
            return Refuse(TransferError.OutOfRange, $"Descriptor {index}: {remote} is not a range.");
        }
        var local = descriptor.Local;
        if (!regions.TryFind(local.Id, out var registered) || registered != local)
        {
            return Refuse(TransferError.RegionUnknown, $"Descriptor {index}: the local region {local.Id} is not registered with this agent.");
        }
        if (InPlace is null && !local.Contains(descriptor.LocalOffset, remote.Bytes))
        {
            return Refuse(TransferError.OutOfRange,
                $"Descriptor {index}: local [{descriptor.LocalOffset}, +{remote.Bytes}) lies outside region {local.Id} of {local.Bytes} bytes.");
        }
        if (!local.IsHost && (!reachesAccelerators || limits.Checksum))
        {
            return Refuse(TransferError.AcceleratorMemory, $"Descriptor {index}: the local region {local.Id} is {local.MemoryType} memory, "
                + (reachesAccelerators ? "of which the CPU can compute no checksum. Switch Checksum off." : "which only UCX moves, and this peer is not reached by UCX."));
        }
        if (remote.Bytes > limits.TransferBytesMax - Bytes)
        {
            return Refuse(TransferError.TooManyBytes, $"A transfer has at most {limits.TransferBytesMax} bytes (TransferBytesMax). Split it.");
        }
        if (!_locals.Contains(local))
        {
            if (!local.TryUse())
            {
                return Refuse(TransferError.RegionUnknown, $"Descriptor {index}: the local region {local.Id} is being deregistered.");
            }
            _locals.Add(local);
        }
        Bytes += remote.Bytes;
        return TransferOutcome.Success(TransferPhase.Prepare);
    }

    private void Cut(int segmentBytes)
    {
        var descriptors = _descriptors.Span;
        int first = 0, pieces = 0, bytes = 0;
        long skipped = 0;
        for (var i = 0; i < descriptors.Length; i++)
        {
            var source = descriptors[i].Remote;
            if (pieces > 0 && (source.LeaseId != descriptors[first].Remote.LeaseId || source.Generation != descriptors[first].Remote.Generation))
            {
                Close(i, 0);
            }
            for (long taken = 0; taken < source.Bytes;)
            {
                if (bytes == segmentBytes || pieces == TransferLimits.SegmentDescriptorCountMax)
                {
                    Close(i, taken);
                }
                var piece = (int)Math.Min(source.Bytes - taken, segmentBytes - bytes);
                pieces++;
                bytes += piece;
                taken += piece;
            }
        }
        Close(descriptors.Length, 0);

        void Close(int nextDescriptor, long nextSkipped)
        {
            var source = _descriptors.Span[first].Remote;
            Segments.Add(new TransferSegment(first, skipped, pieces, bytes, source.LeaseId, source.Generation));
            (first, skipped, pieces, bytes) = (nextDescriptor, nextSkipped, 0, 0);
        }
    }

    private static TransferOutcome Refuse(TransferError error, string message) =>
        TransferOutcome.Failed(TransferPhase.Prepare, TransferSide.Local, error, message);
}
