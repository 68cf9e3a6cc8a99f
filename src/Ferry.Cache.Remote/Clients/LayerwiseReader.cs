using Ferry.Cache.Records;
using Ferry.Kv.Conversion;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Serves those who store whole chunks from those who store layer by layer, and the other way round, for models whose card asks for it.</summary>
internal sealed class LayerwiseReader(RecordCache cache, ShardConverter converter, TierFinder tiers)
{
    /// <param name="memoryOnly">Whether the tiers are left alone.</param>
    public async ValueTask<ClientValue?> TryGetAsync(ClientTarget target, ClientShape shape, bool memoryOnly, CancellationToken cancellationToken)
    {
        var parts = new List<LayerPart>();
        try
        {
            for (var index = 0; index < target.OtherModels.Count; index++)
            {
                if (await TryLeaseAsync(KeyOf(target, index), shape.Other!, memoryOnly, cancellationToken) is not { } chunk)
                {
                    return null;
                }
                parts.Add(new LayerPart(chunk, SliceOf(shape, index)));
            }
            if (parts.Select(part => part.Chunk.Shards[0].Layout.Tokens).Distinct().Count() != 1)
            {
                return null; // Nothing, or layers that are not of one chunk.
            }
            var wanted = shape.Layout(parts[0].Chunk.Shards[0].Layout.Tokens);
            var note = shape.NoteOf(wanted);
            if (target.Key.Part != ClientKeyPart.PairNote)
            {
                return converter.TryMake(parts, wanted, note);
            }
            return note is not null && parts.TrueForAll(part => converter.CanMake([.. part.Chunk.Shards.Select(shard => shard.Layout)], wanted, part.Slice))
                ? new NoteClientValue(note)
                : null;
        }
        finally
        {
            parts.ForEach(part => part.Dispose());
        }
    }

    /// <summary>Whether <see cref="TryGetAsync"/> would deliver.</summary>
    public async ValueTask<bool> ExistsAsync(ClientTarget target, ClientShape shape, bool memoryOnly, CancellationToken cancellationToken)
    {
        if (target.OtherModels.Count == 0 || (target.Key.Part == ClientKeyPart.PairNote && !shape.HasNotes))
        {
            return false;
        }
        var tokens = 0; // Of the first part; the others must have as many.
        for (var index = 0; index < target.OtherModels.Count; index++)
        {
            var (key, slice) = (KeyOf(target, index), SliceOf(shape, index));
            bool Serves(KvLayout[] layouts)
            {
                tokens = tokens == 0 ? layouts[0].Tokens : tokens;
                return layouts[0].Tokens == tokens && converter.CanMake(layouts, shape.Layout(tokens), slice);
            }
            if (cache.Memory.TryLease(key, shape.Other!.Any, out var chunk))
            {
                using (chunk)
                {
                    if (Serves([.. chunk.Shards.Select(shard => shard.Layout)]))
                    {
                        continue;
                    }
                }
            }
            if (memoryOnly || !await tiers.HasShardsAsync(key, shape.Other!, shape.Other!.Any, Serves, cancellationToken))
            {
                return false;
            }
        }
        return true;
    }

    private async ValueTask<ChunkLease?> TryLeaseAsync(KvKey key, ClientShape other, bool memoryOnly, CancellationToken cancellationToken)
    {
        if (cache.Memory.TryLease(key, other.Same, out var chunk) || cache.Memory.TryLease(key, other.Any, out chunk))
        {
            return chunk;
        }
        return memoryOnly ? null : (await cache.TryGetAsync(key, other.Any, cancellationToken))?.Chunk;
    }

    private static KvKey KeyOf(ClientTarget target, int index) => target.Chunk with { Model = target.OtherModels[index] };

    private static LayerSlice SliceOf(ClientShape shape, int index) => shape.Layer is { } layer ? new LayerSlice(layer, 0) : new LayerSlice(0, index);
}
