using Ferry.Cache.Arena;
using Ferry.Cache.Eviction;
using Ferry.Cache.Records;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.TestKit.Cache;

/// <summary>Small records whose bytes follow from a seed, and stores to put them into.</summary>
public static class TestRecords
{
    public static readonly UInt128 Model = new(0x0123456789abcdef, 0xfedcba9876543210);

    /// <summary>2 layers, 4 model heads, head dim 8, bf16: 4 KiB for 32 tokens and all heads.</summary>
    public static KvLayout Layout(int firstHead = 0, int heads = 4, int tokens = 32, KvOrder order = KvOrder.Hnd) => new()
    {
        Layers = 2,
        ModelHeads = 4,
        FirstHead = firstHead,
        Heads = heads,
        HeadDim = 8,
        Tokens = tokens,
        BlockTokens = 16,
        DType = KvDType.BFloat16,
        Order = order,
        Packing = KvPacking.Halves,
    };

    public static ChunkHash Hash(int number)
    {
        Span<byte> bytes = stackalloc byte[32];
        bytes.Fill(0x5a);
        BitConverter.TryWriteBytes(bytes, number);
        return new ChunkHash(bytes);
    }

    public static KvKey Key(int number, string salt = "") => new(salt, Model, Hash(number));

    public static byte[] Payload(KvLayout layout, int seed)
    {
        var payload = new byte[layout.PayloadBytes];
        new Random(seed).NextBytes(payload);
        return payload;
    }

    /// <summary>A whole record as it lies on disk and on the wire.</summary>
    public static (KvRecordHeader Header, byte[] Record) Record(int number, KvLayout layout, int? seed = null, string salt = "")
    {
        var payload = Payload(layout, seed ?? number);
        var header = KvRecordHeader.Describe(layout, Model, 0, Hash(number), salt, payload);
        var record = new byte[header.RecordBytes];
        KvRecord.Write(header, record);
        payload.CopyTo(record, KvRecord.HeaderBytes);
        return (header, record);
    }

    /// <summary>A header whose checksum <see cref="RecordReservation.Commit"/> fills in.</summary>
    public static KvRecordHeader Unsealed(int number, KvLayout layout, string salt = "") =>
        new(layout, Model, 0, Hash(number), salt, layout.PayloadBytes, 0);

    public static RecordStore Store(
        long capacityBytes, TimeProvider? time = null, int alignmentBytes = 64, string policy = EvictionPolicies.Default, RecordStoreOptions? options = null) => new(
        new KvArena(new KvArenaOptions { CapacityBytes = capacityBytes, AlignmentBytes = alignmentBytes, TryHugePages = false }),
        EvictionPolicies.Create(policy), new RecordPins(time ?? TimeProvider.System), NullLogger<RecordStore>.Instance, options);

    /// <summary>Puts a record whose payload follows from <paramref name="seed"/> (its number when null).</summary>
    /// <returns>The lease that the commit gave, or null when there was no room.</returns>
    public static RecordLease? Put(this RecordStore store, int number, KvLayout layout, int? seed = null, string salt = "")
    {
        using var reservation = store.TryReserve(KvRecord.HeaderBytes + layout.PayloadBytes);
        if (reservation is null)
        {
            return null;
        }
        Payload(layout, seed ?? number).CopyTo(reservation.Record[KvRecord.HeaderBytes..]);
        return reservation.Commit(Unsealed(number, layout, salt));
    }

    /// <summary>What a caller asks that wants the whole chunk in any layout.</summary>
    public static ChunkQuery Whole(int tokens = 32) => new(0, 0, tokens);
}
