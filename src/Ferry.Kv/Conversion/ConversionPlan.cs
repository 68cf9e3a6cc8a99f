using System.Diagnostics.CodeAnalysis;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

/// <summary>How to make one shard in one layout from the bytes of one or more shards in others. Made once, run many times, by any number of threads.</summary>
/// <remarks>
/// Reorders, re-blocks, re-packs, re-shards and re-casts in one pass. Bytes are copied unchanged where source and target agree in dtype
/// and scale (NaN payloads too). Otherwise a stored number becomes <c>value * ratio</c> in fp32, where ratio is source scale / target
/// scale rounded to fp32, and then the target dtype as <see cref="ElementCodec"/> rounds it: to nearest even, fp8 saturating, NaN
/// staying NaN. So e4m3fnuz to e4m3fn with half the scale keeps the bits except of the codes that mean something else there: 0x80 (NaN)
/// becomes 0x7F, and 0x7F and 0xFF (±240) saturate to 0x7E and 0xFE.
/// </remarks>
public sealed class ConversionPlan
{
    /// <summary>From here on the target is written past the caches: twice the largest second-level cache in use, so little of it would be found there.</summary>
    internal const long StreamingBytes = 4 << 20;

    private readonly IReadOnlyList<KvLayout> _sources;
    private readonly ConversionStep[] _steps;
    private readonly bool[] _used;
    private readonly bool _streams;

    private ConversionPlan(IReadOnlyList<KvLayout> sources, KvLayout target, LayerSlice? slice, List<HeadPiece> pieces, long streamingBytes)
    {
        _sources = sources;
        Target = target;
        _used = new bool[sources.Count];
        foreach (var piece in pieces) { _used[piece.Source] = true; }
        IsIdentity = pieces.Count == 1 && sources[pieces[0].Source] == target && slice is null;
        _steps = ConversionPlanner.Plan(sources, target, slice, pieces, streamingBytes);
        _streams = Array.Exists(_steps, step => step.Nest.Streams);
    }

    public KvLayout Target { get; }

    /// <summary>True when one source already is the target: its payload may be taken as it is.</summary>
    public bool IsIdentity { get; }

    /// <summary>Makes the plan.</summary>
    /// <param name="sources">Shards that together hold every head of the target; where several hold one (replicas), one of them is read.</param>
    /// <exception cref="KvLayoutException">There is no plan; every field that stands in the way is listed.</exception>
    public static ConversionPlan Create(IReadOnlyList<KvLayout> sources, KvLayout target) =>
        TryCreate(sources, target, out var plan, out var mismatches)
            ? plan
            : throw new KvLayoutException("No conversion between these KV layouts", mismatches);

    /// <summary>As <see cref="Create"/>, for a caller that expects a refusal.</summary>
    public static bool TryCreate(
        IReadOnlyList<KvLayout> sources, KvLayout target, [NotNullWhen(true)] out ConversionPlan? plan, out IReadOnlyList<string> mismatches) =>
        TryCreate(sources, target, null, StreamingBytes, out plan, out mismatches);

    /// <summary>As the other, for one layer: a run then writes that layer of the target and nothing else of it.</summary>
    public static bool TryCreate(
        IReadOnlyList<KvLayout> sources, KvLayout target, LayerSlice slice, [NotNullWhen(true)] out ConversionPlan? plan, out IReadOnlyList<string> mismatches) =>
        TryCreate(sources, target, slice, StreamingBytes, out plan, out mismatches);

    /// <param name="streamingBytes">See <see cref="KernelChoice.For"/>.</param>
    internal static bool TryCreate(
        IReadOnlyList<KvLayout> sources, KvLayout target, LayerSlice? slice, long streamingBytes,
        [NotNullWhen(true)] out ConversionPlan? plan, out IReadOnlyList<string> mismatches)
    {
        ArgumentNullException.ThrowIfNull(sources);
        ArgumentNullException.ThrowIfNull(target);
        plan = null;
        KvLayout[] shards = [.. sources];
        var found = ConversionPlanner.FindMismatches(shards, target, slice);
        var pieces = HeadPiece.Cover(shards, target, found);
        mismatches = found;
        if (found.Count > 0) { return false; }
        plan = new ConversionPlan(shards, target, slice, pieces, streamingBytes);
        return true;
    }

    /// <summary>False for a source that the plan never reads (all its heads are elsewhere, or it is a replica): it need not be fetched.</summary>
    public bool Reads(int source) => _used[source];

    /// <summary>Converts one set of payloads.</summary>
    /// <param name="sources">One payload a source layout, in the same order; one that the plan does not read may be empty.</param>
    /// <param name="target">Exactly the target's <see cref="KvLayout.PayloadBytes"/>; every byte is written (with a <see cref="LayerSlice"/>: of its layer), unused tokens as zeros.</param>
    /// <exception cref="ArgumentException">A length is wrong, or a source overlaps the target; not a byte has been written.</exception>
    public void Run(IReadOnlyList<ReadOnlyMemory<byte>> sources, Span<byte> target)
    {
        ArgumentNullException.ThrowIfNull(sources);
        if (sources.Count != _sources.Count)
        {
            throw new ArgumentException($"The plan has {_sources.Count} sources; {sources.Count} were given.", nameof(sources));
        }
        for (var index = 0; index < sources.Count; index++) { CheckSource(index, sources[index].Span, target); }
        CheckTarget(target);
        foreach (var step in _steps)
        {
            step.Nest.Run(step.Source < 0 ? [] : sources[step.Source].Span, target);
        }
        if (_streams) { StreamingCopyKernel.Fence(); }
    }

    /// <summary>Converts one payload, for a plan with one source.</summary>
    /// <exception cref="ArgumentException">As the other form, or the plan has several sources.</exception>
    public void Run(ReadOnlySpan<byte> source, Span<byte> target)
    {
        if (_sources.Count != 1) { throw new ArgumentException($"The plan has {_sources.Count} sources; one was given.", nameof(source)); }
        CheckSource(0, source, target);
        CheckTarget(target);
        foreach (var step in _steps) { step.Nest.Run(source, target); }
        if (_streams) { StreamingCopyKernel.Fence(); }
    }

    private void CheckSource(int index, ReadOnlySpan<byte> source, Span<byte> target)
    {
        if (source.IsEmpty && !_used[index]) { return; }
        if (source.Length != _sources[index].PayloadBytes)
        {
            throw new ArgumentException($"Source {index} has {source.Length} bytes; {_sources[index]} has {_sources[index].PayloadBytes}.", nameof(source));
        }
        if (source.Overlaps(target)) { throw new ArgumentException($"Source {index} overlaps the target.", nameof(source)); }
    }

    private void CheckTarget(Span<byte> target)
    {
        if (target.Length != Target.PayloadBytes)
        {
            throw new ArgumentException($"The target has {target.Length} bytes; {Target} has {Target.PayloadBytes}.", nameof(target));
        }
    }
}
