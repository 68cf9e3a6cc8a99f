using Ferry.Cache;
using Ferry.Cache.Records;
using Ferry.Engine.Connector;
using Ferry.Kv.Conversion;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;
using Ferry.Serving.Exchange.Push;
using Ferry.Serving.Options;
using Microsoft.Extensions.Logging;

namespace Ferry.Serving.Exchange;

/// <summary>Finds the chunks of one request, memory first, then the peer that lends them, then the shared tier, and turns them into this node's layout.</summary>
/// <remarks>Never throws, never waits longer than its deadline. A doubt is a miss: the engine computes what is not here.</remarks>
internal sealed class ChunkLoader(
    RecordCache cache, PeerFetch? peerFetch, PushDesk pushes, KvExchangeOptions options, ConversionPlans plans, ReportBook reports, ClaimedKeys claims,
    TimeProvider time, ILogger logger) : IDisposable
{
    private const string Memory = "memory";
    private const string Peer = "peer";
    private const int RoundsMax = 3; // Of waiting for what others bring: pushes that come to nothing, and loads that end early.

    private readonly RankConverter _converter = new(cache, plans, reports, time);
    private readonly SemaphoreSlim _loads = new(options.LoadsMax);

    /// <summary>What a chunk's records must be to serve this node.</summary>
    public ChunkQuery QueryOf(WantedChunk chunk)
    {
        var target = ShardCover.FamilyOf(chunk.Targets[0]);
        return new ChunkQuery(0, 0, chunk.TokenCount, target, family => plans.TryGet([family], target) is not null);
    }

    public void Dispose() => _loads.Dispose();

    public async Task<KvLoadResult> LoadAsync(LoadPlan plan, CancellationToken cancellationToken)
    {
        var begun = time.GetTimestamp();
        using var deadline = new CancellationTokenSource(options.LoadDeadline, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        var found = new Found?[plan.Chunks.Count];
        try
        {
            try
            {
                await FindAsync(plan, found, linked.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                plan.Trace.Explain($"nothing more within {options.LoadDeadline} (load deadline)");
                reports.Counters.LoadFailures.Add();
            }
            plan.Trace.Update(report => report with { FetchTime = time.GetElapsedTime(begun) });
            cancellationToken.ThrowIfCancellationRequested();
            return Convert(plan, found);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return KvLoadResult.Nothing;
        }
        catch (Exception error) // The edge of the load: whatever went wrong, the engine computes.
        {
            ExchangeLog.LoadFailed(logger, plan.RequestId, error);
            plan.Trace.Explain($"load failed: {error.Message}");
            reports.Counters.LoadFailures.Add();
            return KvLoadResult.Nothing;
        }
        finally
        {
            Array.ForEach(found, chunk => chunk?.Chunk.Dispose());
        }
    }

    private async Task FindAsync(LoadPlan plan, Found?[] found, CancellationToken cancellationToken)
    {
        await _loads.WaitAsync(cancellationToken);
        try
        {
            if (options.KeepInMemory)
            {
                FindInMemory(plan, found);
            }
            else if (plan.Lender is { } lender)
            {
                LeaseFetched(plan, found, Peer, index => pushes.HasArrived(lender, plan.Chunks[index].Key));
            }
            if (plan.Lender is not null && Array.IndexOf(found, null) >= 0)
            {
                await FindAtPeerAsync(plan, found, cancellationToken);
            }
            if (cache.HasTiers)
            {
                await FindInTiersAsync(plan, found, cancellationToken);
            }
        }
        finally
        {
            _loads.Release();
        }
    }

    private void FindInMemory(LoadPlan plan, Found?[] found)
    {
        var leases = new ChunkLease?[found.Length];
        cache.Memory.LeaseChain(KeysOf(plan, Enumerable.Range(0, found.Length)), index => QueryOf(plan.Chunks[index]), leases);
        for (var index = 0; index < found.Length; index++)
        {
            if (leases[index] is { } chunk && (IsPushed(plan, index, chunk) || IsProved(chunk, plan)))
            {
                found[index] = new Found(chunk, SourceOf(plan, index, Memory));
            }
        }
    }

    /// <summary>What was pushed for this request was proved when it came.</summary>
    private bool IsPushed(LoadPlan plan, int index, ChunkLease chunk)
    {
        var isPushed = SourceOf(plan, index, Memory) == Peer;
        plan.Trace.AddVerified(isPushed ? chunk.Shards.Count : 0);
        return isPushed;
    }

    /// <summary>Proves what lay in memory for a while; damage is dropped and the lease ended.</summary>
    private bool IsProved(ChunkLease chunk, LoadPlan plan)
    {
        if (!options.VerifyMemory)
        {
            return true;
        }
        var begun = time.GetTimestamp();
        foreach (var shard in chunk.Shards)
        {
            if (KvRecord.Verify(shard.Header, shard.Payload.Span) is not KvRecordError.None and var error)
            {
                cache.Memory.DropDamaged(shard);
                reports.Counters.ChecksumFailures.Add();
                plan.Trace.AddDamaged();
                plan.Trace.Explain("a record in memory was damaged");
                ExchangeLog.RecordDamaged(logger, chunk.Key.Hash.ToString(), Memory, error.ToString());
                chunk.Dispose();
                return false;
            }
        }
        plan.Trace.AddVerified(chunk.Shards.Count, time.GetElapsedTime(begun));
        return true;
    }

    private async Task FindAtPeerAsync(LoadPlan plan, Found?[] found, CancellationToken cancellationToken)
    {
        if (peerFetch is null)
        {
            plan.Trace.Explain("this node has no transfer agent");
            return;
        }
        int[] missing = [.. Enumerable.Range(0, found.Length).Where(index => found[index] is null)];
        for (var round = 0; missing.Length > 0 && round < RoundsMax; round++)
        {
            missing = await FetchOrAwaitAsync(peerFetch, plan, found, missing, cancellationToken);
        }
    }

    /// <summary>Fetches the chunks that nobody else brings, and waits for the others: those of other requests, and those being pushed.</summary>
    /// <returns>Chunks that somebody else was to bring and that did not come.</returns>
    private async Task<int[]> FetchOrAwaitAsync(PeerFetch fetch, LoadPlan plan, Found?[] found, int[] missing, CancellationToken cancellationToken)
    {
        var (mine, others, awaited) = (new List<int>(), new List<int>(), new List<Task>());
        foreach (var index in missing)
        {
            if (claims.TryClaim(plan.Chunks[index].Key, out var other))
            {
                mine.Add(index);
                continue;
            }
            others.Add(index);
            awaited.Add(other);
        }
        List<RecordLease> kept = [];
        try
        {
            if (options.KeepInMemory)
            {
                LeaseFetched(plan, found, Memory, mine.Contains); // Another request may have brought them, and ended its claim, since we looked.
            }
            WantedChunk[] wanted = [.. mine.Where(index => found[index] is null).Select(index => plan.Chunks[index])];
            if (wanted.Length > 0)
            {
                kept = await fetch.FetchAsync(plan, wanted, QueryOf, cancellationToken);
                LeaseFetched(plan, found, Peer);
            }
        }
        finally
        {
            // What waits for these chunks looks for them in memory now; nobody waits for us while we wait below.
            mine.ForEach(index => claims.Release(plan.Chunks[index].Key));
            kept.ForEach(lease => lease.Dispose());
        }
        if (others.Count > 0)
        {
            await Task.WhenAll(awaited).WaitAsync(cancellationToken);
            LeaseFetched(plan, found, Memory); // Another request moved them, or they were pushed.
        }
        return [.. others.Where(index => found[index] is null)];
    }

    private void LeaseFetched(LoadPlan plan, Found?[] found, string source, Predicate<int>? isWanted = null)
    {
        for (var index = 0; index < found.Length; index++)
        {
            if (found[index] is null && isWanted?.Invoke(index) != false && cache.Memory.Contains(plan.Chunks[index].Key)
                && cache.Memory.TryLease(plan.Chunks[index].Key, QueryOf(plan.Chunks[index]), out var chunk))
            {
                found[index] = new Found(chunk, SourceOf(plan, index, source));
                plan.Trace.AddVerified(chunk.Shards.Count); // Each was proved when it came, a moment ago.
            }
        }
    }

    /// <summary>What was pushed for this very request came from the peer, wherever it lies by now.</summary>
    private string SourceOf(LoadPlan plan, int index, string source) =>
        plan.Lender is { } lender && pushes.HasArrived(lender, plan.Chunks[index].Key) ? Peer : source;

    /// <summary>Fills the gaps from the tiers, up to the first chunk that nobody has, or that is computed faster than loaded.</summary>
    private async Task FindInTiersAsync(LoadPlan plan, Found?[] found, CancellationToken cancellationToken)
    {
        var missing = Enumerable.Range(0, found.Length).Where(index => found[index] is null).ToArray();
        if (missing.Length == 0)
        {
            return;
        }
        var lookup = await cache.LookUpAsync(KeysOf(plan, missing), at => QueryOf(plan.Chunks[missing[at]]), cancellationToken);
        var source = lookup.Count > 0 ? lookup.TierOf(0)?.Kind ?? Memory : Memory;
        if (lookup.Decision.Chunks < lookup.Count)
        {
            plan.Trace.Explain(
                $"{lookup.Count - lookup.Decision.Chunks} of {lookup.Count} chunks are computed: loading all from {source} would take {lookup.Decision.LoadTime}, computing {lookup.Decision.ComputeTime}");
        }
        try
        {
            var hits = await cache.LoadAsync(lookup, all: false, cancellationToken);
            for (var at = 0; at < hits.Count; at++)
            {
                found[missing[at]] = new Found(hits[at].Chunk, hits[at].Tier?.Kind ?? Memory);
                plan.Trace.AddVerified(hits[at].Tier is null ? 0 : hits[at].Chunk.Shards.Count);
            }
        }
        catch (OperationCanceledException)
        {
            LeaseFetched(plan, found, source); // What came before the deadline is in memory.
            throw;
        }
    }

    private static KvKey[] KeysOf(LoadPlan plan, IEnumerable<int> indices) => [.. indices.Select(index => plan.Chunks[index].Key)];

    /// <summary>Hands on the longest run of chunks from the first; the rest is of no use without what is missing before it.</summary>
    private KvLoadResult Convert(LoadPlan plan, Found?[] found)
    {
        var chunks = new List<KvLoadedChunk>();
        var held = new List<IDisposable>();
        try
        {
            for (var index = 0; index < found.Length && found[index] is { } chunk; index++)
            {
                if (_converter.TryConvert(plan.Chunks[index], chunk.Chunk, plan.Trace, held) is not { } payloads)
                {
                    plan.Trace.Explain("no room in memory to convert");
                    break;
                }
                chunks.Add(new KvLoadedChunk(plan.Chunks[index].FirstToken, plan.Chunks[index].TokenCount, payloads));
                held.Add(chunk.Chunk);
                found[index] = null; // Held by the result from now on.
                Count(plan, plan.Chunks[index], chunk);
            }
        }
        catch
        {
            held.ForEach(one => one.Dispose());
            throw;
        }
        if (chunks.Count == 0)
        {
            held.ForEach(one => one.Dispose());
            return KvLoadResult.Nothing;
        }
        cache.Memory.Touch(chunks.Select((_, index) => plan.Chunks[index].Key).ToArray());
        return new KvLoadResult(chunks, () => held.ForEach(one => one.Dispose()));
    }

    private void Count(LoadPlan plan, WantedChunk wanted, Found chunk)
    {
        var bytes = chunk.Chunk.Shards.Sum(shard => shard.Header.PayloadBytes);
        var tokens = plan.NewTokens(wanted);
        plan.Trace.AddSource(chunk.Source, tokens, chunk.Source == Memory ? 0 : bytes);
        reports.CountLoaded(chunk.Source, tokens, bytes);
        if (chunk.Source == Peer)
        {
            plan.Trace.AddHandover(pushes.HasArrived(plan.Lender!, wanted.Key) ? plan.Lender!.Mode : HandoverMode.Pull, bytes);
        }
    }

    private sealed record Found(ChunkLease Chunk, string Source);
}
