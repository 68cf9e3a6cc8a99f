using Ferry.Cache.Tiers;
using Ferry.Kv.Keys;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Peers;

/// <summary>What another exchange has in its memory and on its disk, as a tier to read from. docs/wire/peers.md</summary>
/// <remarks>
/// Records come with their headers and checksums and are proved here, as those of a store. The peer is asked over its RESP front, with this exchange's own
/// password, and answers from what it has itself: nothing is asked on. Nothing is stored in it, deleted from it or listed.
/// </remarks>
public sealed class PeerTier : IKvTier
{
    private readonly PeerTierOptions _options;
    private readonly PeerConnections _connections;
    private readonly TierCounters _counters = new();
    private readonly ILogger _logger;
    private readonly string _ownId;
    private volatile bool _isSelf;

    /// <param name="ownId"><see cref="PeerDesk.Id"/> of this exchange.</param>
    /// <exception cref="ArgumentException">The options do not validate; the message lists why.</exception>
    public PeerTier(PeerTierOptions options, string ownId, TimeProvider time, ILogger<PeerTier> logger)
    {
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, errors), nameof(options));
        }
        (_options, _ownId, _logger) = (options, ownId, logger);
        _connections = new PeerConnections(options, time);
    }

    public string Name => _options.ToString();

    public string Kind => "peer";

    public TierCapabilities Capabilities => TierCapabilities.Read | TierCapabilities.OfPeer;

    public TierCounts Counts => _counters.Snapshot(0);

    public async Task<IReadOnlyList<TierRecord>> FindAsync(KvKey key, CancellationToken cancellationToken) => (await FindManyAsync([key], cancellationToken))[0];

    public async Task<IReadOnlyList<IReadOnlyList<TierRecord>>> FindManyAsync(IReadOnlyList<KvKey> keys, CancellationToken cancellationToken)
    {
        var found = new List<IReadOnlyList<TierRecord>>(keys.Count);
        foreach (var some in keys.Chunk(PeerWire.KeysMax))
        {
            var answers = _isSelf ? null : await _connections.AskAsync(
                async (connection, deadline) => IsSelf(connection) ? null : await connection.FindAsync(Array.ConvertAll(some, key => PeerWire.OfKey(key)), deadline),
                0, _options.AnswerTimeout, cancellationToken);
            for (var index = 0; index < some.Length; index++)
            {
                var records = answers is null ? [] : PeerWire.TryReadRecords(some[index], answers[index]) ?? throw new PeerException("it names records as no exchange does");
                if (records.Count == 0)
                {
                    _counters.Missed();
                }
                found.Add(records);
            }
        }
        return found;
    }

    public async Task<TierRead> ReadAsync(TierRecord record, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var (key, shard) = (PeerWire.OfKey(record.Key), PeerWire.ShardOf(record));
        if (_isSelf || !await _connections.AskAsync((connection, deadline) => connection.ReadAsync(key, shard, destination, deadline), destination.Length, _options.StallTimeout, cancellationToken))
        {
            _counters.Missed();
            return TierRead.Of(TierReadOutcome.Missing);
        }
        if (RecordProof.FindError(destination.Span, record.Location, out var header) is { } reason)
        {
            _counters.Damaged();
            PeerLog.RecordDamaged(_logger, Name, record.Location, reason);
            await AskForProofAsync(key, shard, destination.Length, cancellationToken);
            return TierRead.Of(TierReadOutcome.Damaged);
        }
        _counters.Read(destination.Length);
        return new TierRead(TierReadOutcome.Read, header);
    }

    public Task<TierPutOutcome> PutAsync(KvRecordHeader header, ReadOnlyMemory<byte> record, CancellationToken cancellationToken) => throw ReadOnly();

    public Task<int> DeleteAsync(KvKey key, CancellationToken cancellationToken) => throw ReadOnly();

    public IAsyncEnumerable<TierListing> ListAsync(CancellationToken cancellationToken) => throw ReadOnly();

    public Task<TierUsage> MeasureAsync(CancellationToken cancellationToken) => throw ReadOnly();

    public ValueTask DisposeAsync()
    {
        _connections.Dispose();
        return ValueTask.CompletedTask;
    }

    private static NotSupportedException ReadOnly() => new("A peer is read from and nothing else: what it holds is its own.");

    /// <summary>Bytes may spoil on the way or where they lie: the owner looks, and drops what is spoilt, so that it is not given to the next.</summary>
    private async Task AskForProofAsync(string key, string shard, long recordBytes, CancellationToken cancellationToken)
    {
        try
        {
            await _connections.AskAsync((connection, deadline) => connection.ProveAsync(key, shard, deadline), recordBytes, _options.StallTimeout, cancellationToken);
        }
        catch (PeerException)
        {
            // The read has failed already; whether the peer is well the next question tells.
        }
    }

    /// <summary>A list of all exchanges of a cluster, given to each of them, names each to itself.</summary>
    private bool IsSelf(PeerConnection connection)
    {
        if (connection.PeerId != _ownId)
        {
            return false;
        }
        _isSelf = true;
        PeerLog.IsSelf(_logger, Name);
        return true;
    }
}
