using Ferry.Cache.Chains;
using Ferry.Cache.Records;
using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache;

/// <summary>Memory and the tiers below it as one: reads go down tier by tier and come up into memory, writes go to memory at once and behind it to the tiers.</summary>
/// <remarks>Thread-safe. What a tier does wrong is a miss here (<see cref="GuardedTier"/>).</remarks>
public sealed class RecordCache : IAsyncDisposable
{
    /// <summary>Name of the memory among the tiers.</summary>
    public const string MemoryName = "memory";

    /// <summary>What such a tier holds others have, and can be asked for themselves.</summary>
    private const TierCapabilities ElsewhereToo = TierCapabilities.Shared | TierCapabilities.OfPeer;

    private readonly List<(GuardedTier Tier, WriteBehind? Behind)> _tiers = [];
    // A peer's question never waits for a flight that may be asking that very peer: what is left out is part of the key.
    private readonly SingleFlight<(GuardedTier Tier, KvKey Key, int FirstHead, int HeadCount, bool WantsOpaque, TierCapabilities Without)> _flights = new();
    private readonly RecordCacheOptions _options;
    private readonly TierReader _reader;
    private readonly TierMover _mover;
    private readonly ChainFinder _finder;
    private readonly LoadAdvisor _advisor;

    /// <param name="memory">Owned from now on.</param>
    /// <param name="tiers">Nearest first; owned from now on.</param>
    public RecordCache(
        RecordStore memory, IEnumerable<IKvTier> tiers, RecordCacheOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        Memory = memory;
        _options = options;
        var behind = new WriteBehindOptions
        {
            QueueBytes = Math.Min(options.WriteBehindBytesMax, memory.Arena.CapacityBytes / 4),
            Writers = options.WritersPerTier,
            CloseDeadline = options.CloseDeadline,
        };
        foreach (var tier in tiers)
        {
            var guarded = new GuardedTier(tier, options.Guard, time, loggers.CreateLogger<GuardedTier>());
            _tiers.Add((guarded, tier.Capabilities.HasFlag(TierCapabilities.Put)
                ? new WriteBehind(guarded, behind, time, loggers.CreateLogger<WriteBehind>())
                : null));
        }
        Tiers = _tiers.ConvertAll(tier => tier.Tier);
        _reader = new TierReader(memory, options);
        _mover = new TierMover(memory);
        _finder = new ChainFinder(Tiers, options);
        _advisor = new LoadAdvisor(options, time);
        Prefetcher = new Prefetcher(this, options, time, loggers.CreateLogger<Prefetcher>());
    }

    public RecordStore Memory { get; }

    /// <summary>The tiers below memory, nearest first.</summary>
    public IReadOnlyList<GuardedTier> Tiers { get; }

    /// <summary>Brings up what look-ups found, before it is asked for.</summary>
    public Prefetcher Prefetcher { get; }

    public bool HasTiers => _tiers.Count > 0;

    /// <summary>Tokens that the engine computes in a second, as it says itself; 0 while it has not. Without it every chunk that is found is loaded.</summary>
    public double ComputedTokensPerSecond { get => _advisor.TokensPerSecond; set => _advisor.TokensPerSecond = value; }

    /// <summary>Chains for which loading was weighed against computing, by what was decided.</summary>
    public long CountOf(LoadReason reason) => _advisor.CountOf(reason);

    /// <summary>Leases a chunk, from memory or brought up from the nearest tier that has it.</summary>
    /// <returns>Null on a miss.</returns>
    public ValueTask<CacheHit?> TryGetAsync(KvKey key, ChunkQuery query, CancellationToken cancellationToken) => TryGetAsync(key, query, TierCapabilities.None, cancellationToken);

    /// <summary>As <see cref="TryGetAsync(KvKey, ChunkQuery, CancellationToken)"/>, from memory and the tiers that are this node's own: what a peer may be given.</summary>
    public ValueTask<CacheHit?> TryGetOwnAsync(KvKey key, ChunkQuery query, CancellationToken cancellationToken) => TryGetAsync(key, query, ElsewhereToo, cancellationToken);

    /// <summary>Names the records of a chunk that memory and this node's own tiers hold, by layout and length; each once, nothing is read.</summary>
    /// <returns>One answer a key, in the order of the keys.</returns>
    public async Task<IReadOnlyList<IReadOnlyCollection<(KvLayout Layout, int RecordBytes)>>> FindOwnAsync(IReadOnlyList<KvKey> keys, CancellationToken cancellationToken)
    {
        var found = new HashSet<(KvLayout, int)>[keys.Count];
        for (var index = 0; index < found.Length; index++)
        {
            found[index] = [.. Memory.Readers.Describe(keys[index])];
        }
        foreach (var tier in Tiers)
        {
            if (tier.Capabilities.HasFlag(TierCapabilities.Read) && (tier.Capabilities & ElsewhereToo) == 0)
            {
                var below = await tier.FindManyAsync(keys, cancellationToken);
                for (var index = 0; index < found.Length; index++)
                {
                    // An own tier knows every layout but that of bytes, which only their length tells.
                    found[index].UnionWith(below[index].Select(record => (
                        record.FamilyLayout is { } family ? family with { FirstHead = record.FirstHead, Heads = record.Heads } : KvLayout.Opaque(record.RecordBytes - KvRecord.HeaderBytes), record.RecordBytes)));
                }
            }
        }
        return found;
    }

    /// <summary>Finds the longest usable prefix of a chain over memory and all tiers, and leases what memory has of it. Nothing is read from a tier yet.</summary>
    /// <param name="keys">First chunk first.</param>
    /// <param name="queryOf">The query of the chunk at an index.</param>
    /// <returns>The caller loads or disposes it.</returns>
    public ValueTask<ChainLookup> LookUpAsync(ReadOnlyMemory<KvKey> keys, Func<int, ChunkQuery> queryOf, CancellationToken cancellationToken)
    {
        var found = Memory.Readers.HoldChain(keys.Span, queryOf, stopAtGap: !HasTiers, out var hold);
        return found == keys.Length || !HasTiers
            ? ValueTask.FromResult(new ChainLookup(keys, queryOf, hold, found))
            : LookUpBelowAsync(keys, queryOf, hold, cancellationToken);
    }

    /// <summary>Brings the chunks of a look-up that are worth it into memory, several at a time, and leases the prefix.</summary>
    /// <param name="lookup">Ended by this call, whatever comes of it.</param>
    /// <param name="all">Whether everything that was found is loaded, whatever <see cref="ChainLookup.Decision"/> says.</param>
    /// <returns>In order of the chain; shorter than what was found when something went away meanwhile. The caller disposes each.</returns>
    public async Task<IReadOnlyList<CacheHit>> LoadAsync(ChainLookup lookup, bool all, CancellationToken cancellationToken)
    {
        var count = all ? lookup.Count : lookup.Decision.Chunks;
        var hits = new CacheHit?[count];
        var end = count;
        try
        {
            await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = _options.ReadsPerChain, CancellationToken = cancellationToken }, async (index, token) =>
            {
                if (index < Volatile.Read(ref end) && (hits[index] = await TryLoadAsync(lookup, index, token)) is null)
                {
                    InterlockedMin(ref end, index);
                }
            });
        }
        catch
        {
            end = 0;
            throw;
        }
        finally
        {
            lookup.Dispose();
            for (var index = end; index < count; index++)
            {
                hits[index]?.Dispose();
            }
        }
        return hits[..end]!;
    }

    /// <summary>Queues a record of the memory for every tier that takes records. Never waits; a full queue drops it (counted).</summary>
    /// <param name="mode">The mode with which it was committed.</param>
    public void StoreBehind(RecordLease lease, PutMode mode = PutMode.KeepFirst)
    {
        foreach (var (_, behind) in _tiers)
        {
            behind?.TryEnqueue(lease.Duplicate(), mode);
        }
    }

    /// <summary>Removes a chunk from memory and from every tier that can delete; what is on its way to one does not arrive.</summary>
    /// <returns>Records removed, each tier's counted.</returns>
    public async Task<int> RemoveAsync(KvKey key, CancellationToken cancellationToken)
    {
        var removed = Memory.Remove(key); // First: what write-behind finds gone it does not write.
        foreach (var tier in Tiers)
        {
            if (tier.Capabilities.HasFlag(TierCapabilities.Delete))
            {
                removed += await tier.DeleteAsync(key, cancellationToken);
            }
        }
        return removed;
    }

    /// <summary>Removes everything, or everything of a salt, from memory and from every tier that can delete.</summary>
    /// <param name="salt">Null for all.</param>
    /// <param name="keepPinned">Whether what is pinned hard by its key stays in memory.</param>
    /// <returns>Records removed, each tier's counted.</returns>
    public async Task<long> ClearAsync(string? salt, bool keepPinned, CancellationToken cancellationToken)
    {
        long removed = Memory.Clear(salt, keepPinned);
        foreach (var tier in Tiers)
        {
            if (tier.Capabilities.HasFlag(TierCapabilities.Delete))
            {
                removed += await tier.ClearAsync(salt, cancellationToken);
            }
        }
        return removed;
    }

    /// <summary>Moves a chunk with all its records from one tier to another.</summary>
    /// <param name="from"><see cref="MemoryName"/>, or a tier's name or kind.</param>
    public Task<MoveOutcome> MoveAsync(KvKey key, string from, string to, CancellationToken cancellationToken) =>
        TryFindTier(from, out var source) && TryFindTier(to, out var target) && !ReferenceEquals(source, target)
            ? _mover.MoveAsync(key, source, target, cancellationToken)
            : Task.FromResult(MoveOutcome.NoSuchTier);

    /// <summary>Ends when every record queued before this call is in its tier, or was given up.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_tiers.Where(tier => tier.Behind is not null).Select(tier => tier.Behind!.FlushAsync(cancellationToken)));

    public IReadOnlyList<TierStats> SnapshotTiers() =>
    [
        .. _tiers.Select(tier => new TierStats(
            tier.Tier.Name, tier.Tier.IsReadingOff, tier.Tier.IsWritingOff, tier.Tier.Counts, tier.Tier.Failures, tier.Tier.Timeouts, tier.Behind?.QueuedBytes ?? 0,
            tier.Behind?.Written ?? 0, tier.Behind?.Dropped ?? 0, tier.Behind?.Failed ?? 0)
        {
            Kind = tier.Tier.Kind,
            WriteWithdrawn = tier.Behind?.Withdrawn ?? 0,
            Rates = tier.Tier.Meter.Rates,
        }),
    ];

    /// <summary>Writes what is queued within the deadline, then closes the tiers and the memory.</summary>
    public async ValueTask DisposeAsync()
    {
        await Prefetcher.DisposeAsync();
        await Task.WhenAll(_tiers.Where(tier => tier.Behind is not null).Select(tier => tier.Behind!.DisposeAsync().AsTask()));
        foreach (var tier in Tiers)
        {
            await tier.DisposeAsync();
        }
        Memory.Dispose();
    }

    private static void InterlockedMin(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); value < seen;)
        {
            var before = Interlocked.CompareExchange(ref target, value, seen);
            if (before == seen)
            {
                return;
            }
            seen = before;
        }
    }

    private bool TryFindTier(string name, out GuardedTier? tier)
    {
        tier = Tiers.FirstOrDefault(tier => tier.Name == name) ?? Tiers.FirstOrDefault(tier => tier.Kind == name);
        return tier is not null || name == MemoryName;
    }

    /// <param name="without">Tiers that have one of these are not asked.</param>
    private async ValueTask<CacheHit?> TryGetAsync(KvKey key, ChunkQuery query, TierCapabilities without, CancellationToken cancellationToken)
    {
        if (Memory.TryLease(key, query, out var lease))
        {
            return new CacheHit(lease, null);
        }
        foreach (var (tier, _) in _tiers)
        {
            if (tier.Capabilities.HasFlag(TierCapabilities.Read) && (tier.Capabilities & without) == 0 && await TryBringUpAsync(tier, null, key, query, without, cancellationToken) is { } brought)
            {
                return new CacheHit(brought, tier);
            }
        }
        return null;
    }

    private async ValueTask<ChainLookup> LookUpBelowAsync(
        ReadOnlyMemory<KvKey> keys, Func<int, ChunkQuery> queryOf, ChainHold hold, CancellationToken cancellationToken)
    {
        var links = new ChainLink[keys.Length];
        for (var index = 0; index < links.Length; index++)
        {
            links[index] = new ChainLink(hold.Has(index), null, [], queryOf(index).Tokens);
        }
        try
        {
            await _finder.FindAsync(keys, queryOf, links, cancellationToken);
        }
        catch
        {
            hold.Dispose();
            throw;
        }
        var count = Array.FindIndex(links, link => !link.IsFound) is var gap && gap >= 0 ? gap : links.Length;
        return new ChainLookup(keys, queryOf, hold, count, links, _advisor.Decide(links.AsSpan(0, count)));
    }

    private async ValueTask<CacheHit?> TryLoadAsync(ChainLookup lookup, int index, CancellationToken cancellationToken)
    {
        if (lookup.TakeLease(index) is { } lease)
        {
            return new CacheHit(lease, null);
        }
        var (key, query, tier) = (lookup.KeyOf(index), lookup.QueryOf(index), lookup.TierOf(index));
        if (tier is not null && await TryBringUpAsync(tier, lookup.LinkOf(index).Families, key, query, TierCapabilities.None, cancellationToken) is { } brought)
        {
            return new CacheHit(brought, tier);
        }
        return await TryGetAsync(key, query, cancellationToken); // Gone from there since it was found: perhaps another has it.
    }

    /// <param name="families">What the tier was found to have; null to ask it now.</param>
    private async Task<ChunkLease?> TryBringUpAsync(
        GuardedTier tier, IReadOnlyList<IReadOnlyList<TierRecord>>? families, KvKey key, ChunkQuery query, TierCapabilities without, CancellationToken cancellationToken)
    {
        await FlyAsync(tier, families, key, query, without, cancellationToken);
        return Memory.TryLease(key, query, out var lease) ? lease : null;
    }

    /// <summary>Brings a chunk into memory from the nearest tier that has it, and leases nothing.</summary>
    /// <returns>Record bytes brought; 0 when memory had it, or no tier has it.</returns>
    internal async Task<long> BringUpAsync(KvKey key, ChunkQuery query, CancellationToken cancellationToken)
    {
        for (var index = 0; index < _tiers.Count && !Memory.Readers.Serves(key, query); index++)
        {
            if (_tiers[index].Tier.Capabilities.HasFlag(TierCapabilities.Read))
            {
                await FlyAsync(_tiers[index].Tier, null, key, query, TierCapabilities.None, cancellationToken);
                if (Memory.Readers.BytesOf(key, query) is var bytes and > 0)
                {
                    return bytes;
                }
            }
        }
        return 0;
    }

    /// <remarks>A flight belongs to nobody in particular, so it keeps no leases: each of those who waited leases from memory afterwards.</remarks>
    private Task<bool> FlyAsync(
        GuardedTier tier, IReadOnlyList<IReadOnlyList<TierRecord>>? families, KvKey key, ChunkQuery query, TierCapabilities without, CancellationToken cancellationToken) =>
        _flights.RunAsync(
            (tier, key, query.FirstHead, query.HeadCount, query.WantsOpaque, without), async token =>
            {
                if (Memory.Readers.Serves(key, query))
                {
                    return; // Another flight brought it up between this caller's look and now.
                }
                families ??= ChainFinder.Choose(await tier.FindAsync(key, token), query);
                await _reader.TryReadAsync(tier, families, query, lease => Promote(lease, tier), token);
            }, cancellationToken);

    private void Promote(RecordLease lease, GuardedTier from)
    {
        for (var index = 0; _options.PromoteToUpperTiers && index < _tiers.Count && !ReferenceEquals(_tiers[index].Tier, from); index++)
        {
            _tiers[index].Behind?.TryEnqueue(lease.Duplicate());
        }
    }
}
