using Ferry.Cache.Records;
using Ferry.Kv.Layout;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Finds what a key asks for, in memory and below it, and makes it of other shards where it must. Thread-safe.</summary>
internal sealed class ClientReader(RecordCache cache, ShardConverter converter, ConvertMode mode, ClientMetrics metrics, ILogger logger)
{
    private readonly TierFinder _tiers = new(cache);
    private readonly LayerwiseReader _layerwise = new(cache, converter, new TierFinder(cache));

    public async ValueTask<ClientValue?> TryGetAsync(ClientTarget target, CancellationToken cancellationToken)
    {
        var value = TryGetFromMemory(target) ?? await TryGetLayerwiseAsync(target, memoryOnly: true, cancellationToken);
        if (value is null && cache.HasTiers)
        {
            value = await TryGetFromTiersAsync(target, cancellationToken) ?? await TryGetLayerwiseAsync(target, memoryOnly: false, cancellationToken);
        }
        Count(target, value);
        return value;
    }

    public async ValueTask<bool> ExistsAsync(ClientTarget target, CancellationToken cancellationToken)
    {
        var exists = IsInMemory(target) || await IsLayerwiseAsync(target, memoryOnly: true, cancellationToken)
            || (cache.HasTiers && (await IsInTiersAsync(target, cancellationToken) || await IsLayerwiseAsync(target, memoryOnly: false, cancellationToken)));
        var counts = metrics.Of(target.Key.Shard);
        (exists ? counts.Found : counts.NotFound).Add();
        return exists;
    }

    private ClientValue? TryGetFromMemory(ClientTarget target)
    {
        if (target.Shape is { } shape && TryLeaseShards(target, shape) is { } chunk && TryMake(target, shape, chunk) is { } value)
        {
            return value;
        }
        return TryLeaseOpaque(target) is { } opaque ? OfOpaque(target, opaque) : null;
    }

    private async ValueTask<ClientValue?> TryGetFromTiersAsync(ClientTarget target, CancellationToken cancellationToken)
    {
        if (target.Shape is { } shape && await TryBringUpAsync(target, shape, cancellationToken) is { } chunk && TryMake(target, shape, chunk) is { } value)
        {
            return value;
        }
        var opaque = await cache.TryGetAsync(target.Opaque, ChunkQuery.Opaque, cancellationToken);
        if (opaque is null && target.Bare is { } bare)
        {
            opaque = await cache.TryGetAsync(bare, ChunkQuery.Opaque, cancellationToken);
        }
        return opaque is null ? null : OfOpaque(target, opaque.Chunk);
    }

    private async ValueTask<ChunkLease?> TryBringUpAsync(ClientTarget target, ClientShape shape, CancellationToken cancellationToken)
    {
        var hit = await cache.TryGetAsync(target.Chunk, QueryOf(shape), cancellationToken);
        if (hit is null || shape.IsSame(hit.Chunk.Shards[0].Layout))
        {
            return hit?.Chunk;
        }
        // A tier names families in its own order: before anything is rounded, look whether the client's own is there too.
        if (await cache.TryGetAsync(target.Chunk, shape.Same, cancellationToken) is not { } same)
        {
            return hit.Chunk;
        }
        hit.Dispose();
        return same.Chunk;
    }

    private bool IsInMemory(ClientTarget target)
    {
        if (target.Shape is { } shape && TryLeaseShards(target, shape) is { } chunk)
        {
            using (chunk)
            {
                var wanted = shape.Layout(chunk.Shards[0].Layout.Tokens);
                if ((IsExactly(chunk, wanted) || (mode == ConvertMode.On && converter.CanMake(chunk, wanted))) && (target.Key.Part != ClientKeyPart.PairNote || shape.HasNotes))
                {
                    return true;
                }
                SayWhatWouldBe(target, chunk, wanted); // Whoever is told that it is not there does not ask for it.
            }
        }
        using var opaque = TryLeaseOpaque(target);
        return opaque is not null;
    }

    private async ValueTask<bool> IsInTiersAsync(ClientTarget target, CancellationToken cancellationToken)
    {
        if (target.Shape is { } shape && (target.Key.Part != ClientKeyPart.PairNote || shape.HasNotes)
            && await _tiers.HasShardsAsync(target.Chunk, shape, QueryOf(shape), layouts => Serves(layouts, shape), cancellationToken))
        {
            return true;
        }
        return await _tiers.HasOpaqueAsync(target.Opaque, cancellationToken)
            || (target.Bare is { } bare && await _tiers.HasOpaqueAsync(bare, cancellationToken));
    }

    private ValueTask<ClientValue?> TryGetLayerwiseAsync(ClientTarget target, bool memoryOnly, CancellationToken cancellationToken) =>
        target.OtherModels.Count == 0 || mode != ConvertMode.On
            ? ValueTask.FromResult<ClientValue?>(null)
            : _layerwise.TryGetAsync(target, target.Shape!, memoryOnly, cancellationToken);

    private ValueTask<bool> IsLayerwiseAsync(ClientTarget target, bool memoryOnly, CancellationToken cancellationToken) =>
        target.OtherModels.Count == 0 || mode != ConvertMode.On
            ? ValueTask.FromResult(false)
            : _layerwise.ExistsAsync(target, target.Shape!, memoryOnly, cancellationToken);

    private bool Serves(KvLayout[] layouts, ClientShape shape)
    {
        var wanted = shape.Layout(layouts[0].Tokens);
        return (layouts is [var only] && only == wanted) || (mode == ConvertMode.On && converter.CanMake(layouts, wanted));
    }

    private ChunkLease? TryLeaseOpaque(ClientTarget target)
    {
        if (cache.Memory.TryLease(target.Opaque, ChunkQuery.Opaque, out var opaque))
        {
            return opaque;
        }
        return target.Bare is { } bare && cache.Memory.TryLease(bare, ChunkQuery.Opaque, out opaque) ? opaque : null;
    }

    /// <summary>What is in the client's own type and order first: nothing is rounded, and often nothing is copied.</summary>
    private ChunkLease? TryLeaseShards(ClientTarget target, ClientShape shape)
    {
        if (cache.Memory.TryLease(target.Chunk, shape.Same, out var chunk))
        {
            return chunk;
        }
        return mode != ConvertMode.Off && cache.Memory.TryLease(target.Chunk, shape.Any, out chunk) ? chunk : null;
    }

    private ChunkQuery QueryOf(ClientShape shape) => mode == ConvertMode.On ? shape.Any : shape.Same;

    /// <param name="chunk">Owned from now on.</param>
    private ClientValue? TryMake(ClientTarget target, ClientShape shape, ChunkLease chunk)
    {
        var wanted = shape.Layout(chunk.Shards[0].Layout.Tokens);
        if (IsExactly(chunk, wanted))
        {
            return Deliver(target, new RecordClientValue(chunk, () => shape.NoteOf(wanted)));
        }
        using (chunk)
        {
            if (mode != ConvertMode.On)
            {
                SayWhatWouldBe(target, chunk, wanted);
                return null;
            }
            if (target.Key.Part == ClientKeyPart.PairNote)
            {
                return shape.NoteOf(wanted) is { } note && converter.CanMake(chunk, wanted) ? new NoteClientValue(note) : null;
            }
            return converter.TryMake(target, chunk, wanted, shape.NoteOf(wanted));
        }
    }

    private static ClientValue? OfOpaque(ClientTarget target, ChunkLease chunk) => Deliver(target, new RecordClientValue(chunk, null));

    private static ClientValue? Deliver(ClientTarget target, RecordClientValue value)
    {
        if (target.Key.Part != ClientKeyPart.PairNote)
        {
            return value;
        }
        using (value)
        {
            return value.Note.IsEmpty ? null : new NoteClientValue(value.Note);
        }
    }

    private static bool IsExactly(ChunkLease chunk, KvLayout wanted) => chunk.Shards is [var only] && only.Layout == wanted;

    private void SayWhatWouldBe(ClientTarget target, ChunkLease chunk, KvLayout wanted)
    {
        if (mode == ConvertMode.Log && converter.CanMake(chunk, wanted))
        {
            metrics.Of(target.Key.Shard).WouldConvert.Add();
            converter.SayOnce(chunk.Shards[0].Layout, wanted, () => ClientLog.WouldConvert(logger, target.Key.Text, chunk.Shards[0].Layout, wanted));
        }
    }

    private void Count(ClientTarget target, ClientValue? value)
    {
        if (target.Key.Part == ClientKeyPart.PairNote)
        {
            return; // Its value is counted.
        }
        var counts = metrics.Of(target.Key.Shard);
        var converted = value is ConvertedClientValue;
        (value is null ? counts.Misses : converted ? counts.Converted : counts.Hits).Add();
        if (target.Shape is { } shape)
        {
            counts.TokensRequested.Add(value is null ? shape.ChunkTokens : value.Bytes.Length / shape.TokenBytes);
            counts.TokensHit.Add(value is null ? 0 : value.Bytes.Length / shape.TokenBytes);
        }
        if (value is not null)
        {
            counts.BytesOut.Add(value.Bytes.Length);
            counts.ConvertedBytes.Add(converted ? value.Bytes.Length : 0);
        }
    }
}
