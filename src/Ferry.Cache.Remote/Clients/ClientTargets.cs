using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using Ferry.Cache.Remote.Models;
using Ferry.Kv.Keys;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Finds out what keys name. Shapes are made once. Thread-safe.</summary>
internal sealed class ClientTargets(ModelCards cards, ILogger logger)
{
    /// <summary>Ranks, types and layers of all models that a fleet runs; more are made up by somebody, and the memory of them starts anew.</summary>
    private const int ShapesMax = 4096;

    /// <summary>Refusals that are said to the log; keys come from outside, and so does their number.</summary>
    private const int RefusalsSaidMax = 64;

    private readonly ConcurrentDictionary<(string Model, int WorldSize, int Rank, string? DType, int? Layer, string Distinction, bool IsOfEngine), Known> _known = new();
    private int _refusalsSaid;

    public ClientTarget Find(ReadOnlySpan<byte> key)
    {
        var parsed = ClientKey.Parse(key);
        if (parsed.Shard is not { } shard)
        {
            return new ClientTarget(parsed, ClientKeys.Opaque(parsed.Text.Span), default, null, []);
        }
        var opaque = shard.IsOfEngine ? ClientKeys.Noted(parsed.Text.Span, shard.Salt) : ClientKeys.Opaque(parsed.Text.Span, shard.Salt);
        return cards.Cards.Count > 0 && KnownOf(shard) is { Shape: { } shape } known
            ? new ClientTarget(parsed, opaque, new KvKey(shard.Salt, known.Fingerprint, shard.Hash), shape, known.Others)
            : new ClientTarget(parsed, opaque, default, null, []);
    }

    private Known KnownOf(ShardKey shard)
    {
        var name = (shard.Model, shard.WorldSize, shard.Rank, shard.DType, shard.Layer, shard.Distinction, shard.IsOfEngine);
        if (_known.TryGetValue(name, out var known))
        {
            return known;
        }
        if (_known.Count >= ShapesMax)
        {
            _known.Clear();
        }
        return _known.GetOrAdd(name, Make(shard));
    }

    private Known Make(ShardKey shard)
    {
        if (cards.Find(shard.Model) is not { } model)
        {
            return default;
        }
        var shape = ClientShape.TryCreate(model.Card, shard, out var refusal);
        if (refusal is not null && Interlocked.Increment(ref _refusalsSaid) <= RefusalsSaidMax)
        {
            ClientLog.KeptOpaque(logger, shard.Model, shard.WorldSize, shard.Rank, refusal);
        }
        var others = shape?.Other is null ? []
            : shard.Layer is not null ? [FingerprintOf(model, shard, null)]
            : Enumerable.Range(0, model.Card.Layers).Select(layer => FingerprintOf(model, shard, layer)).ToArray();
        return new Known(shape, FingerprintOf(model, shard, shard.Layer), others);
    }

    private static UInt128 FingerprintOf(KnownModel model, ShardKey shard, int? layer) =>
        Distinguish(model.Fingerprint, layer is null ? shard.Distinction : $"{shard.Distinction}@layer {layer}");

    /// <summary>What keeps apart the KV of one chunk that is not the same. In the fingerprint's place and not in the salt's, which tenants choose.</summary>
    private static UInt128 Distinguish(UInt128 fingerprint, string distinction)
    {
        if (distinction.Length == 0)
        {
            return fingerprint;
        }
        var name = new byte[16 + Encoding.UTF8.GetByteCount(distinction)];
        BinaryPrimitives.WriteUInt128BigEndian(name, fingerprint);
        Encoding.UTF8.GetBytes(distinction, name.AsSpan(16));
        return ClientKeys.Fingerprint("ferry/client-distinction/1\0"u8, name);
    }

    private readonly record struct Known(ClientShape? Shape, UInt128 Fingerprint, UInt128[] Others);
}
