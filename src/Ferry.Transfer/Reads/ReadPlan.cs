namespace Ferry.Transfer.Reads;

/// <summary>A checked read, cut into segments. Holds a use of every target region until <see cref="Release"/>.</summary>
internal sealed class ReadPlan
{
    private readonly ReadOnlyMemory<ReadDescriptor> _descriptors;
    private readonly List<MemoryRegion> _targets = [];

    private ReadPlan(ReadOnlyMemory<ReadDescriptor> descriptors) => _descriptors = descriptors;

    public List<ReadSegment> Segments { get; } = [];

    public long Bytes { get; private set; }

    /// <summary>Returns null and the reason if a descriptor or the whole is refused.</summary>
    public static ReadPlan? TryCreate(
        ReadOnlyMemory<ReadDescriptor> descriptors, ReadLimits limits, RegionTable regions, out TransferOutcome refusal)
    {
        refusal = default;
        if (descriptors.Length == 0 || descriptors.Length > limits.DescriptorCountMax)
        {
            refusal = Refuse(descriptors.Length == 0 ? TransferError.OutOfRange : TransferError.TooManyDescriptors,
                $"A read has 1 to {limits.DescriptorCountMax} descriptors, not {descriptors.Length}.");
            return null;
        }
        var plan = new ReadPlan(descriptors);
        for (var i = 0; i < descriptors.Length; i++)
        {
            ref readonly var descriptor = ref descriptors.Span[i];
            if (plan.TryAdd(i, in descriptor, limits, regions) is { IsSuccess: false } refused)
            {
                plan.Release();
                refusal = refused;
                return null;
            }
        }
        plan.Cut(limits);
        return plan;
    }

    /// <summary>Gives the target regions back; called once.</summary>
    public void Release()
    {
        foreach (var target in _targets)
        {
            target.EndUse();
        }
        _targets.Clear();
    }

    /// <summary>The pieces of a segment, in the order in which their bytes travel.</summary>
    public ReadPieces PiecesOf(in ReadSegment segment) => new(_descriptors, segment);

    private TransferOutcome TryAdd(int index, in ReadDescriptor descriptor, ReadLimits limits, RegionTable regions)
    {
        var source = descriptor.Source;
        if (source.Bytes < 1 || source.Offset < 0 || source.Offset > long.MaxValue - source.Bytes)
        {
            return Refuse(TransferError.OutOfRange, $"Descriptor {index}: {source} is not a range.");
        }
        var target = descriptor.Target;
        if (!regions.TryFind(target.Id, out var registered) || registered != target)
        {
            return Refuse(TransferError.RegionUnknown, $"Descriptor {index}: the target region {target.Id} is not registered with this agent.");
        }
        if (!target.Contains(descriptor.TargetOffset, source.Bytes))
        {
            return Refuse(TransferError.OutOfRange,
                $"Descriptor {index}: target [{descriptor.TargetOffset}, +{source.Bytes}) lies outside region {target.Id} of {target.Bytes} bytes.");
        }
        if (source.Bytes > limits.ReadBytesMax - Bytes)
        {
            return Refuse(TransferError.TooManyBytes, $"A read has at most {limits.ReadBytesMax} bytes (ReadBytesMax). Split it.");
        }
        if (!_targets.Contains(target))
        {
            if (!target.TryUse())
            {
                return Refuse(TransferError.RegionUnknown, $"Descriptor {index}: the target region {target.Id} is being deregistered.");
            }
            _targets.Add(target);
        }
        Bytes += source.Bytes;
        return TransferOutcome.Success(TransferPhase.Prepare);
    }

    private void Cut(ReadLimits limits)
    {
        var descriptors = _descriptors.Span;
        int first = 0, pieces = 0, bytes = 0;
        long skipped = 0;
        for (var i = 0; i < descriptors.Length; i++)
        {
            var source = descriptors[i].Source;
            if (pieces > 0 && (source.LeaseId != descriptors[first].Source.LeaseId || source.Generation != descriptors[first].Source.Generation))
            {
                Close(i, 0);
            }
            for (long taken = 0; taken < source.Bytes;)
            {
                if (bytes == limits.SegmentBytes || pieces == ReadLimits.SegmentDescriptorCountMax)
                {
                    Close(i, taken);
                }
                var piece = (int)Math.Min(source.Bytes - taken, limits.SegmentBytes - bytes);
                pieces++;
                bytes += piece;
                taken += piece;
            }
        }
        Close(descriptors.Length, 0);

        void Close(int nextDescriptor, long nextSkipped)
        {
            var source = _descriptors.Span[first].Source;
            Segments.Add(new ReadSegment(first, skipped, pieces, bytes, source.LeaseId, source.Generation));
            (first, skipped, pieces, bytes) = (nextDescriptor, nextSkipped, 0, 0);
        }
    }

    private static TransferOutcome Refuse(TransferError error, string message) =>
        TransferOutcome.Failed(TransferPhase.Prepare, TransferSide.Local, error, message);
}
