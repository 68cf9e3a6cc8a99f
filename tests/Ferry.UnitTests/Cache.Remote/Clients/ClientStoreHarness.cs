using System.Text;
using Ferry.Cache;
using Ferry.Cache.Records;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Models;
using Ferry.Cache.Tiers;
using Ferry.Kv.Layout;
using Ferry.Kv.Metrics;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Cache.Remote.Clients;

/// <summary>A store with its memory and tiers. Disposing proves that no lease and no reservation was left.</summary>
internal sealed class ClientStoreHarness : IAsyncDisposable
{
    public const string Model = "meta-llama/Llama-3.1-8B";
    public const int ChunkTokens = 4;

    public ClientStoreHarness(ClientStoreOptions? options = null, ModelCards? cards = null, long memoryBytes = 8 << 20, ILogger<ClientStore>? logger = null, RecordCacheOptions? bounds = null, params IKvTier[] tiers)
    {
        Cache = new RecordCache(TestRecords.Store(memoryBytes), tiers, bounds ?? new RecordCacheOptions(), Time, NullLoggerFactory.Instance);
        Store = new ClientStore(
            Cache, cards ?? ModelCards.None, options ?? new ClientStoreOptions(), new ClientMetrics(Registry), Time, logger ?? NullLogger<ClientStore>.Instance);
    }

    public RecordCache Cache { get; }

    public ClientStore Store { get; }

    public FakeTimeProvider Time { get; } = new();

    public MetricRegistry Registry { get; } = new();

    public RecordStoreStats Memory => Cache.Memory.Snapshot();

    /// <summary>2 layers, 8 KV heads of 4, chunks of 4 tokens.</summary>
    public static ModelCard Card(string name = Model, int heads = 8) => new(name)
    {
        Layers = 2,
        KvHeads = heads,
        HeadDim = 4,
        DType = KvDType.BFloat16,
        ChunkTokens = ChunkTokens,
        TensorParallelSizes = [.. Enumerable.Range(1, 16)],
        Fp8Scales = new Dictionary<KvDType, float> { [KvDType.Float8E4M3Fnuz] = 2f, [KvDType.Float8E4M3Fn] = 1f },
    };

    /// <summary>The layout of a card's shard, whole chunk.</summary>
    public static KvLayout Shard(ModelCard card, int rank, int worldSize, KvDType dtype = KvDType.BFloat16, int tokens = ChunkTokens) => new KvLayout
    {
        Layers = card.Layers,
        ModelHeads = card.KvHeads,
        FirstHead = 0,
        Heads = card.KvHeads,
        HeadDim = card.HeadDim,
        Tokens = tokens,
        BlockTokens = 0,
        DType = dtype,
        Order = KvOrder.TwoLtd,
        Packing = KvPacking.Split,
        Scale = card.ScaleOf(dtype),
    }.ForRank(rank, worldSize);

    public static string Hash(int number) => $"{number:x8}{new string('a', 56)}";

    public static string EngineKey(int number, int rank, int worldSize, string dtype = "bfloat16", string suffix = "", string model = Model) =>
        $"{model}@{worldSize}@{rank}@{Hash(number)}@{dtype}{suffix}";

    public static string DaemonKey(int number, int rank, int worldSize, string suffix = "", string model = Model) =>
        $"{model}@{worldSize:x2}{rank:x2}{worldSize:x2}{rank:x2}@0@{Hash(number)}{suffix}";

    public static byte[] Note(KvLayout layout, bool asUInt8 = false) => ClientNote.TryDescribe(layout, asUInt8)!.Value.ToBytes();

    public static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>Counts and samples as they stand in the metrics' text.</summary>
    public string Metrics()
    {
        var text = new StringBuilder();
        Registry.WriteText(text);
        return text.ToString();
    }

    public async Task<ClientPutOutcome> PutAsync(string key, byte[] value, byte[]? note = null, int pieceBytes = int.MaxValue)
    {
        var outcome = Store.BeginPut(Bytes(key).Span, value.Length, note, out var write);
        if (write is null)
        {
            return outcome;
        }
        using (write)
        {
            for (var offset = 0; offset < value.Length; offset += pieceBytes)
            {
                var count = Math.Min(pieceBytes, value.Length - offset);
                value.AsSpan(offset, count).CopyTo(write.Bytes.Span[offset..]);
                write.Advance(count);
                if (count == value.Length)
                {
                    break;
                }
            }
            await write.CommitAsync(CancellationToken.None);
        }
        return outcome;
    }

    public async Task PutPairAsync(string key, byte[] value, byte[] note)
    {
        await PutAsync(key + "kv_bytes", value);
        await PutAsync(key + "metadata", note);
    }

    public async Task<byte[]?> GetAsync(string key)
    {
        using var value = await Store.TryGetAsync(Bytes(key), CancellationToken.None);
        return value?.Bytes.ToArray();
    }

    public async Task<byte[]?> GetNoteAsync(string key)
    {
        using var value = await Store.TryGetAsync(Bytes(key), CancellationToken.None);
        return value?.Note.ToArray();
    }

    public async Task<bool> ExistsAsync(string key) => await Store.ExistsAsync(Bytes(key), CancellationToken.None);

    public async Task<bool> DeleteAsync(string key) => await Store.DeleteAsync(Bytes(key), CancellationToken.None);

    /// <summary>A key is there, or is not: EXISTS and GET say the same.</summary>
    public async Task<byte[]?> ExpectAsync(string key, bool there)
    {
        Assert.Equal(there, await ExistsAsync(key));
        var value = await GetAsync(key);
        Assert.Equal(there, value is not null);
        return value;
    }

    public async ValueTask DisposeAsync()
    {
        Store.Dispose();
        await Cache.FlushAsync(CancellationToken.None);
        Cache.Memory.CheckIntegrity();
        Assert.Equal((0, 0L), (Memory.Leases, Memory.HeldBytes));
        await Cache.DisposeAsync();
    }
}
