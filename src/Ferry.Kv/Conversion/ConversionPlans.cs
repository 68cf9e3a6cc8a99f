using System.Collections.Concurrent;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

/// <summary>Plans by layout pair, made once. A refusal is kept too. Thread-safe.</summary>
public sealed class ConversionPlans
{
    // Layouts come from outside. A fleet has a handful of pairs, times the lengths of unfull chunks; beyond this somebody makes them up.
    private const int PlansMax = 4096;

    private readonly ConcurrentDictionary<Pair, ConversionPlan?> _plans = new();

    public int Count => _plans.Count;

    /// <summary>The plan, or null when there is none: some field of the layouts has no conversion.</summary>
    /// <param name="slice">For one layer alone; null for all.</param>
    public ConversionPlan? TryGet(IReadOnlyList<KvLayout> sources, KvLayout target, LayerSlice? slice = null)
    {
        var pair = new Pair(sources, target, slice);
        if (_plans.TryGetValue(pair, out var plan))
        {
            return plan;
        }
        if (_plans.Count >= PlansMax)
        {
            _plans.Clear();
        }
        _ = slice is { } layer ? ConversionPlan.TryCreate(sources, target, layer, out plan, out _) : ConversionPlan.TryCreate(sources, target, out plan, out _);
        return _plans.GetOrAdd(pair, plan);
    }

    private readonly struct Pair(IReadOnlyList<KvLayout> sources, KvLayout target, LayerSlice? slice) : IEquatable<Pair>
    {
        private readonly IReadOnlyList<KvLayout> _sources = sources;
        private readonly KvLayout _target = target;
        private readonly LayerSlice? _slice = slice;

        public bool Equals(Pair other) => _target == other._target && _slice == other._slice && _sources.SequenceEqual(other._sources);

        public override bool Equals(object? obj) => obj is Pair other && Equals(other);

        public override int GetHashCode() => HashCode.Combine(_sources.Count, _sources[0], _target, _slice);
    }
}
