using Ferry.Cache.Records;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Finds what a key asks for, in memory and below it, and makes it of other shards where it must. Thread-safe.</summary>
internal sealed class ClientReader(RecordCache cache, ShardConverter converter, ConvertMode mode, ClientMetrics metrics, ILogger logger)
{
    private readonly TierFinder _tiers = new(cache);
    private readonly LayerwiseReader _layerwise = new(cache, converter, new TierFinder(cache));

    /// <remarks>The usual case, bytes in memory, completes at once and copies the target nowhere.</remarks>
    public ValueTask<ClientValue?> TryGetAsync(in ClientTarget target, CancellationToken cancellationToken)
    {
        if (TryGetFromMemory(target) is not { } value)
        {
            return TryGetElsewhereAsync(target, cancellationToken);
        }
        if (cache.HasTiers)
        {
            Took(target);
        }
        Count(target, value);
        return ValueTask.FromResult<ClientValue?>(value);
    }

    public async ValueTask<bool> ExistsAsync(ClientTarget target, CancellationToken cancellationToken)
    {
        var exists = IsInMemory(target) || await IsLayerwiseAsync(target, memoryOnly: true, cancellationToken)
            || (cache.HasTiers && (await IsInTiersAsync(target, cancellationToken) || await IsLayerwiseAsync(target, memoryOnly: false, cancellationToken)));
        var counts = metrics.Of(target.Key.Shard);
        (exists ? counts.Found : counts.NotFound).Add();
        if (!exists)
        {
            await SayWhatWouldBeAsync(target, cancellationToken); // Whoever is told that it is not there does not ask for it.
        }
        return exists;
    }

    private async ValueTask<ClientValue?> TryGetElsewhereAsync(ClientTarget target, CancellationToken cancellationToken)
    {
        var value = await TryGetLayerwiseAsync(target, memoryOnly: true, cancellationToken);
        if (value is null && cache.HasTiers)
        {
            Took(target); // Perhaps it is on its way.
            value = await TryGetFromTiersAsync(target, cancellationToken) ?? await TryGetLayerwiseAsync(target, memoryOnly: false, cancellationToken);
        }
        Count(target, value);
        if (value is null)
        {
            await SayWhatWouldBeAsync(target, cancellationToken);
        }
        return value;
    }

    private ClientValue? TryGetFromMemory(in ClientTarget target)
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

    private bool IsInMemory(in ClientTarget target)
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
            cache.Prefetcher.Want(target.Chunk, QueryOf(shape)); // LMCache asks for what it was told is there.
            return true;
        }
        return await IsInTiersAsync(target.Opaque, cancellationToken) || (target.Bare is { } bare && await IsInTiersAsync(bare, cancellationToken));
    }

    private async ValueTask<bool> IsInTiersAsync(KvKey opaque, CancellationToken cancellationToken)
    {
        var isThere = await _tiers.HasOpaqueAsync(opaque, cancellationToken);
        if (isThere)
        {
            cache.Prefetcher.Want(opaque, ChunkQuery.Opaque);
        }
        return isThere;
    }

    private void Took(in ClientTarget target)
    {
        if (target.Shape is { } shape)
        {
            cache.Prefetcher.Took(target.Chunk, QueryOf(shape));
        }
        cache.Prefetcher.Took(target.Opaque, ChunkQuery.Opaque);
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

    private ChunkLease? TryLeaseOpaque(in ClientTarget target)
    {
        if (cache.Memory.TryLease(target.Opaque, ChunkQuery.Opaque, out var opaque))
        {
            return opaque;
        }
        return target.Bare is { } bare && cache.Memory.TryLease(bare, ChunkQuery.Opaque, out opaque) ? opaque : null;
    }

    /// <summary>What is in the client's own type and order first: nothing is rounded, and often nothing is copied.</summary>
    private ChunkLease? TryLeaseShards(in ClientTarget target, ClientShape shape)
    {
        if (cache.Memory.TryLease(target.Chunk, shape.Same, out var chunk))
        {
            return chunk;
        }
        return mode == ConvertMode.On && cache.Memory.TryLease(target.Chunk, shape.Any, out chunk) ? chunk : null;
    }

    private ChunkQuery QueryOf(ClientShape shape) => mode == ConvertMode.On ? shape.Any : shape.Same;

    /// <param name="chunk">Owned from now on.</param>
    private ClientValue? TryMake(in ClientTarget target, ClientShape shape, ChunkLease chunk)
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
                return null;
            }
            if (target.Key.Part == ClientKeyPart.PairNote)
            {
                return shape.NoteOf(wanted) is { } note && converter.CanMake(chunk, wanted) ? new NoteClientValue(note) : null;
            }
            return converter.TryMake(target, chunk, wanted, shape.NoteOf(wanted));
        }
    }

    private static ClientValue? OfOpaque(in ClientTarget target, ChunkLease chunk) => Deliver(target, new RecordClientValue(chunk, null));

    private static ClientValue? Deliver(in ClientTarget target, RecordClientValue value)
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

    /// <summary>After a miss: whether memory or a tier has what <see cref="ConvertMode.On"/> would have served.</summary>
    private async ValueTask SayWhatWouldBeAsync(ClientTarget target, CancellationToken cancellationToken)
    {
        if (mode != ConvertMode.Log || target.Shape is not { } shape || (target.Key.Part == ClientKeyPart.PairNote && !shape.HasNotes))
        {
            return;
        }
        KvLayout? from = null;
        bool Serves(KvLayout[] layouts)
        {
            from = converter.CanMake(layouts, shape.Layout(layouts[0].Tokens)) ? layouts[0] : null;
            return from is not null;
        }
        if (cache.Memory.TryLease(target.Chunk, shape.Any, out var chunk))
        {
            using (chunk)
            {
                Serves([.. chunk.Shards.Select(shard => shard.Layout)]);
            }
        }
        if (from is null && !(cache.HasTiers && await _tiers.HasShardsAsync(target.Chunk, shape, shape.Any, Serves, cancellationToken)))
        {
            if (!await _layerwise.ExistsAsync(target, shape, memoryOnly: !cache.HasTiers, cancellationToken))
            {
                return;
            }
            from = shape.Other!.Layout(shape.ChunkTokens);
        }
        metrics.Of(target.Key.Shard).WouldConvert.Add();
        var wanted = shape.Layout(from!.Tokens);
        converter.SayOnce(from, wanted, () => ClientLog.WouldConvert(logger, target.Key.Text, from, wanted));
    }

    private void Count(in ClientTarget target, ClientValue? value)
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
            if (converted)
            {
                counts.ConvertedBytes.Add(value.Bytes.Length);
            }
        }
    }
}
