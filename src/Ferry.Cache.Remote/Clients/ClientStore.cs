using Ferry.Cache.Records;
using Ferry.Cache.Remote.Models;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.Kv.Text;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Clients;

/// <summary>The keys of other protocols' clients over the exchange's records. docs/wire/client-keys.md</summary>
/// <remarks>
/// A value whose key names a model that a card describes becomes a shard with a layout, found by every client of that model and converted for those who
/// want it otherwise. Any other value is bytes under its own key. A value that contradicts its card is kept as bytes: a doubt never becomes wrong KV.
/// </remarks>
public sealed class ClientStore : IClientStore, IDisposable
{
    private readonly RecordCache _cache;
    private readonly ClientStoreOptions _options;
    private readonly ClientMetrics _metrics;
    private readonly ILogger _logger;
    private readonly ClientTargets _targets;
    private readonly ClientReader _reader;
    private readonly PendingPairs _pending;
    private bool _contradictionSaid;
    private bool _halfDroppedSaid;
    private bool _halvesDifferSaid;

    /// <param name="cache">Not owned; outlives this.</param>
    /// <exception cref="ArgumentException">The options do not validate; the message lists why.</exception>
    public ClientStore(RecordCache cache, ModelCards cards, ClientStoreOptions options, ClientMetrics metrics, TimeProvider time, ILogger<ClientStore> logger)
    {
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        }
        (_cache, _options, _metrics, _logger) = (cache, options, metrics, logger);
        _targets = new ClientTargets(cards, logger);
        _reader = new ClientReader(cache, new ShardConverter(cache.Memory, options.KeptConvertedBytesMax, logger), options.Convert, metrics, logger);
        // What waits cannot be evicted: of a small memory it takes a quarter at most.
        var pendingBytesMax = Math.Min(options.PendingBytesMax, cache.Memory.Arena.CapacityBytes / 4);
        _pending = new PendingPairs(options with { PendingBytesMax = pendingBytesMax }, time, OnHalfDropped);
    }

    public long Count => _cache.Memory.Snapshot().ClientRecords;

    /// <summary>The names under which a key may have records: its own bytes, and the chunk that it stands for.</summary>
    public IReadOnlyList<KvKey> NamesOf(ReadOnlySpan<byte> key)
    {
        if (IsBad(key))
        {
            return [];
        }
        var target = _targets.Find(key);
        return [target.Opaque, .. target.Bare is { } bare ? [bare] : (KvKey[])[], .. target.Shape is null ? [] : (KvKey[])[target.Chunk]];
    }

    public ValueTask<bool> ExistsAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken) =>
        IsBad(key.Span) ? ValueTask.FromResult(false) : _reader.ExistsAsync(_targets.Find(key.Span), cancellationToken);

    public ValueTask<ClientValue?> TryGetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken) =>
        IsBad(key.Span) ? ValueTask.FromResult<ClientValue?>(null) : _reader.TryGetAsync(_targets.Find(key.Span), cancellationToken);

    public ClientPutOutcome BeginPut(ReadOnlySpan<byte> key, int valueBytes, ReadOnlySpan<byte> note, out ClientWrite? write)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(valueBytes);
        write = null;
        if (IsBad(key))
        {
            _metrics.Of(null).Put(ClientPutOutcome.BadKey).Add();
            return ClientPutOutcome.BadKey;
        }
        var target = _targets.Find(key);
        var outcome = target.Key.Part switch
        {
            // Behind a note a suffix would make one key of two: the pair's half, and a key that ends so. Nobody real has such a key.
            _ when note.Length > KvRecord.MaxClientNoteBytes || (note.Length > 0 && target.Key.Part != ClientKeyPart.Whole) => ClientPutOutcome.BadKey,
            ClientKeyPart.PairValue => BeginPairValue(target, valueBytes, out write),
            ClientKeyPart.PairNote => BeginPairNote(target, valueBytes, out write),
            _ => BeginWhole(target, valueBytes, new ByteText(note), out write),
        };
        _metrics.Of(target.Key.Shard).Put(outcome).Add();
        return outcome;
    }

    public async ValueTask<bool> DeleteAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
    {
        if (IsBad(key.Span))
        {
            return false;
        }
        var target = _targets.Find(key.Span);
        _metrics.Of(target.Key.Shard).Deletes.Add();
        var waited = target.Key.Part != ClientKeyPart.Whole && _pending.Remove(target.Key.Text);
        // The whole chunk: what is left of it would be made into the deleted shard again.
        var removed = target.Shape is null ? 0 : await _cache.RemoveAsync(target.Chunk, cancellationToken);
        foreach (var other in target.OtherModels)
        {
            removed += await _cache.RemoveAsync(target.Chunk with { Model = other }, cancellationToken);
        }
        removed += await _cache.RemoveAsync(target.Opaque, cancellationToken);
        removed += target.Bare is { } bare ? await _cache.RemoveAsync(bare, cancellationToken) : 0;
        return removed > 0 || waited;
    }

    public async Task<long> ClearAsync(CancellationToken cancellationToken)
    {
        _pending.Clear();
        return await _cache.ClearAsync(null, keepPinned: false, cancellationToken);
    }

    public (IReadOnlyList<byte[]> Keys, ulong Cursor) Scan(ulong cursor, int keysMax) => ClientScan.Run(_cache.Memory, cursor, keysMax);

    /// <summary>Gives up the halves of pairs that wait. Nothing may be put afterwards.</summary>
    public void Dispose() => _pending.Dispose();

    private static bool IsBad(ReadOnlySpan<byte> key) => key.Length is 0 or > KvRecord.MaxClientKeyBytes;

    private ClientPutOutcome BeginWhole(ClientTarget target, int valueBytes, ByteText note, out ClientWrite? write)
    {
        write = null;
        if (ClientNote.TryRead(note.Span) is { } read && read.Length != valueBytes)
        {
            return ClientPutOutcome.WrongLength;
        }
        var (key, layout, mode) = PlaceOf(target, valueBytes, note);
        return Reserve(target, key, layout, mode, valueBytes, filled => Publish(filled, HeaderOf(target, key, layout, note), mode), out write);
    }

    /// <summary>The layout is known when the metadata comes; where the value will be, if all is well, already now.</summary>
    private ClientPutOutcome BeginPairValue(ClientTarget target, int valueBytes, out ClientWrite? write)
    {
        var layout = target.Shape?.TryLayout(valueBytes) ?? KvLayout.Opaque(valueBytes);
        var (key, mode) = layout.IsOpaque ? (target.Opaque, OpaqueMode(target, target.Opaque, valueBytes)) : (target.Chunk, PutMode.KeepFirst);
        return Reserve(target, key, layout, mode, valueBytes, filled =>
        {
            var value = new PendingValue(filled, key, layout, mode, valueBytes);
            if (_pending.AddValue(target.Key.Text, value) is { } note)
            {
                Complete(target, value, note);
            }
            ShowPending();
        }, out write);
    }

    private ClientPutOutcome BeginPairNote(ClientTarget target, int valueBytes, out ClientWrite? write)
    {
        write = null;
        if (valueBytes > KvRecord.MaxClientNoteBytes || !ClientNote.IsPlausibleLength(valueBytes))
        {
            return ClientPutOutcome.WrongLength;
        }
        write = new NoteClientWrite(valueBytes, note =>
        {
            if (_pending.AddNote(target.Key.Text, note) is { } value)
            {
                Complete(target, value, note);
            }
            else if (IsStored(target))
            {
                _pending.Remove(target.Key.Text); // Its value was answered as present: nothing comes after this.
            }
            ShowPending();
        });
        return ClientPutOutcome.Ready;
    }

    /// <param name="value">Owned from now on.</param>
    private void Complete(ClientTarget target, PendingValue value, byte[] note)
    {
        using var room = value.Room;
        if (ClientNote.TryRead(note) is { } read && read.Length != value.ValueBytes)
        {
            _metrics.PairsDropped.With("halves differ").Add();
            if (!Interlocked.Exchange(ref _halvesDifferSaid, true))
            {
                ClientLog.HalvesDiffer(_logger, target.Key.Text, read.Length, value.ValueBytes);
            }
            return;
        }
        var text = new ByteText(note);
        var (key, layout, mode) = PlaceOf(target, value.ValueBytes, text);
        if ((key, layout) == (value.Key, value.Layout))
        {
            Publish(room, HeaderOf(target, key, layout, text), value.Mode);
            return;
        }
        // The metadata made another record of it than its key and length had promised: rare enough to be copied.
        if (_cache.Memory.TryReserve(key, layout, mode, out _) is { } other)
        {
            room.Payload.CopyTo(other.Payload);
            Publish(other, HeaderOf(target, key, layout, text), mode);
        }
    }

    /// <summary>Which record a value becomes.</summary>
    private (KvKey Key, KvLayout Layout, PutMode Mode) PlaceOf(ClientTarget target, int valueBytes, ByteText note)
    {
        if (target.Shape is { } shape)
        {
            string? contradiction = null;
            var layout = note.IsEmpty ? shape.TryLayoutWithoutNote(valueBytes, out contradiction)
                : ClientNote.TryRead(note.Span) is { } read ? shape.TryLayout(valueBytes, read, out contradiction)
                : null;
            if (layout is not null)
            {
                return (target.Chunk, layout, PutMode.KeepFirst);
            }
            _metrics.Of(target.Key.Shard).Contradictions.Add();
            if (!Interlocked.Exchange(ref _contradictionSaid, true))
            {
                ClientLog.Contradiction(_logger, target.Key.Text, contradiction ?? $"its metadata has {note.Length} bytes and not the {ClientNote.ByteCount} of one KV group");
            }
        }
        var opaque = target.OpaqueFor(hasNote: !note.IsEmpty);
        return (opaque, KvLayout.Opaque(valueBytes), OpaqueMode(target, opaque, valueBytes));
    }

    /// <summary>A key of LMCache names its content: a value of the same length is the same. Of any other key the last writer's value stays, as with Redis.</summary>
    private PutMode OpaqueMode(ClientTarget target, in KvKey opaque, int valueBytes)
    {
        if (target.Key.Shard is null)
        {
            return PutMode.Replace;
        }
        if (!_cache.Memory.TryLease(opaque, ChunkQuery.Opaque, out var present))
        {
            return PutMode.KeepFirst;
        }
        using (present)
        {
            return present.Shards[0].Payload.Length == valueBytes ? PutMode.KeepFirst : PutMode.Replace;
        }
    }

    private static KvRecordHeader HeaderOf(ClientTarget target, in KvKey key, KvLayout layout, ByteText note) =>
        new(layout, key.Model, 0, key.Hash, key.Salt, layout.PayloadBytes, 0) { ClientKey = target.Key.Text, ClientNote = note };

    private ClientPutOutcome Reserve(
        ClientTarget target, in KvKey key, KvLayout layout, PutMode mode, int valueBytes, Action<RecordReservation> commit, out ClientWrite? write)
    {
        write = null;
        if ((long)KvRecord.HeaderBytes + valueBytes > _options.RecordBytesMax)
        {
            return ClientPutOutcome.TooLarge;
        }
        var counts = _metrics.Of(target.Key.Shard);
        if (_cache.Memory.TryReserve(key, layout, mode, out var outcome) is { } room)
        {
            write = new RecordClientWrite(room, valueBytes, filled =>
            {
                commit(filled);
                counts.BytesIn.Add(valueBytes);
            });
        }
        return outcome switch
        {
            ReserveOutcome.Reserved => ClientPutOutcome.Ready,
            ReserveOutcome.Present or ReserveOutcome.Arriving => ClientPutOutcome.Present,
            ReserveOutcome.TooLarge => ClientPutOutcome.TooLarge,
            ReserveOutcome.OverQuota => ClientPutOutcome.OverQuota,
            _ => ClientPutOutcome.Full,
        };
    }

    private void Publish(RecordReservation filled, KvRecordHeader header, PutMode mode)
    {
        using (filled)
        {
            using var lease = filled.Commit(header);
            _cache.StoreBehind(lease, mode);
        }
    }

    private bool IsStored(ClientTarget target)
    {
        ChunkLease? chunk = null;
        var stored = (target.Shape is { } shape && _cache.Memory.TryLease(target.Chunk, shape.Same, out chunk))
            || _cache.Memory.TryLease(target.Opaque, ChunkQuery.Opaque, out chunk);
        chunk?.Dispose();
        return stored;
    }

    private void OnHalfDropped(ByteText key, string reason)
    {
        _metrics.PairsDropped.With(reason).Add();
        if (!Interlocked.Exchange(ref _halfDroppedSaid, true))
        {
            ClientLog.HalfDropped(_logger, key, reason);
        }
    }

    private void ShowPending()
    {
        _metrics.PendingBytes.With().Set(_pending.Bytes);
        _metrics.PendingHalves.With().Set(_pending.Count);
    }
}
