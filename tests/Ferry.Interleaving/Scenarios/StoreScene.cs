using Ferry.Cache.Arena;
using Ferry.Cache.Eviction;
using Ferry.Cache.Records;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Interleaving.Scenarios;

/// <summary>A small store of equal opaque records, each full of one byte, so that foreign bytes show.</summary>
internal sealed class StoreScene
{
    private const int PayloadBytes = 64;
    private static readonly KvLayout Layout = KvLayout.Opaque(PayloadBytes);
    private static readonly long RecordBytes = KvRecord.HeaderBytes + PayloadBytes;

    public StoreScene(int capacityRecords, RecordStoreOptions? options = null, params int[] present)
    {
        Capacity = capacityRecords;
        Store = new RecordStore(
            new KvArena(new KvArenaOptions { CapacityBytes = capacityRecords * RecordBytes, AlignmentBytes = 64, TryHugePages = false }),
            EvictionPolicies.Create("lru"), new RecordPins(TimeProvider.System), NullLogger<RecordStore>.Instance, options);
        foreach (var number in present)
        {
            Put(number)!.Dispose();
        }
    }

    public RecordStore Store { get; }

    private int Capacity { get; }

    public static KvKey Key(int number, string salt = "")
    {
        Span<byte> hash = stackalloc byte[16];
        hash.Fill((byte)number);
        return new KvKey(salt, 7, new ChunkHash(hash));
    }

    /// <returns>Null when there is no room, or the record is there or on its way.</returns>
    public RecordLease? Put(int number, PutMode mode = PutMode.KeepFirst, byte? fill = null, string salt = "")
    {
        using var room = Store.TryReserve(Key(number, salt), Layout, mode, out _);
        if (room is null)
        {
            return null;
        }
        room.Payload.Span.Fill(fill ?? (byte)number);
        return room.Commit(new KvRecordHeader(Layout, 7, 0, Key(number, salt).Hash, salt, PayloadBytes, 0));
    }

    public RecordLease? Lease(int number) => Store.TryLease(Key(number), ChunkQuery.Opaque, out var chunk) ? chunk.Shards[0] : null;

    /// <summary>Reads a leased record: its bytes are those of its number, and its checksum holds.</summary>
    public static void Prove(RecordLease lease, int number)
    {
        var bytes = lease.Record.Span;
        Require.That(KvRecord.TryRead(bytes, out _, out var error), $"record {number}: {error}");
        Require.That(!bytes[KvRecord.HeaderBytes..].ContainsAnyExcept((byte)number), $"record {number} holds another's bytes");
    }

    public void ReadAndRelease(int number)
    {
        if (Lease(number) is { } lease)
        {
            Prove(lease, number);
            lease.Dispose();
        }
    }

    /// <summary>Nothing is leased, held or parked for ever, and the whole memory can be had again.</summary>
    public void CheckEmptiesWhole()
    {
        Store.CheckIntegrity();
        var stats = Store.Snapshot();
        Require.That(stats is { Leases: 0, HeldBytes: 0 }, $"leases or held bytes are left: {stats}");
        using (var all = Store.TryReserve(Capacity * RecordBytes))
        {
            Require.That(all is not null, $"a record that nobody reads is not evicted: {Store.Snapshot()}");
        }
        Store.CheckIntegrity();
        Store.Dispose();
        Require.That(Store.Arena.SlotCount == 0 && Store.Arena.BaseAddress == 0, "native memory is left");
    }
}
