using CsCheck;
using Ferry.Cache.Records;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.Cache.Records;

/// <summary>Any sequence of operations against a list that does the same in the simplest way.</summary>
public sealed class RecordStoreModelTests
{
    private const int Slots = 6;
    private static readonly KvLayout Layout = TestRecords.Layout(tokens: 16) with { Layers = 1 };
    private static readonly long RecordBytes = KvRecord.HeaderBytes + Layout.PayloadBytes;

    [Fact]
    public void AnySequence_OfPutLeaseReleaseRemoveAndTouch_AgreesWithAnLruList() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 11], Gen.Int[0, 100]).Array[1, 120].Sample(steps =>
        {
            using var store = TestRecords.Store(Slots * RecordBytes);
            var model = new Model();
            var leases = new List<(RecordLease Lease, Chunk Chunk)>();
            foreach (var (operation, number, pick) in steps)
            {
                switch (operation)
                {
                    case 0 or 1:
                        var put = store.Put(number, Layout);
                        Assert.Equal(model.TryPut(number), put is not null);
                        put?.Dispose();
                        break;
                    case 2:
                        var hit = store.TryLease(TestRecords.Key(number), TestRecords.Whole(16), out var chunk);
                        var expected = model.TryLease(number);
                        Assert.Equal(expected is not null, hit);
                        if (hit)
                        {
                            leases.Add((chunk!.Shards[0], expected!));
                        }
                        break;
                    case 3 when leases.Count > 0:
                        var (lease, leased) = leases[pick % leases.Count];
                        Assert.Equal(TestRecords.Payload(Layout, leased.Number), lease.Payload.ToArray());
                        lease.Dispose();
                        leases.RemoveAt(pick % leases.Count);
                        model.EndLease(leased);
                        break;
                    case 4:
                        Assert.Equal(model.TryRemove(number), store.Remove(TestRecords.Key(number)) == 1);
                        break;
                    case 5:
                        store.Touch([TestRecords.Key(number)]);
                        model.Touch(number);
                        break;
                }
                store.CheckIntegrity();
                Assert.Equal(model.Present, store.Snapshot().Chunks);
                Assert.Equal(model.UsedSlots * RecordBytes, store.Snapshot().UsedBytes);
            }
            leases.ForEach(held => held.Lease.Dispose());
            Assert.Equal((0, 0L), (store.Snapshot().Leases, store.Snapshot().HeldBytes));
        }, iter: 400);

    /// <summary>Oldest first. A leased chunk met by an eviction is parked; it comes back as the youngest when its last lease ends.</summary>
    private sealed class Model
    {
        private readonly List<Chunk> _chunks = [];
        private readonly List<Chunk> _gone = []; // Removed, but still leased.

        public int Present => _chunks.Count;

        public int UsedSlots => _chunks.Count + _gone.Count;

        public bool TryPut(int number)
        {
            var evicted = UsedSlots < Slots || TryEvict();
            if (evicted && !_chunks.Exists(chunk => chunk.Number == number))
            {
                _chunks.Add(new Chunk(number));
            }
            return evicted; // A duplicate took and gave back a slot, and evicted for it.
        }

        public Chunk? TryLease(int number)
        {
            var chunk = _chunks.Find(chunk => chunk.Number == number);
            Touch(number);
            if (chunk is not null)
            {
                chunk.Leases++;
            }
            return chunk;
        }

        public void EndLease(Chunk chunk)
        {
            if (--chunk.Leases > 0)
            {
                return;
            }
            _gone.Remove(chunk);
            if (chunk.Parked)
            {
                chunk.Parked = false;
                _chunks.Remove(chunk);
                _chunks.Add(chunk);
            }
        }

        public bool TryRemove(int number)
        {
            var chunk = _chunks.Find(chunk => chunk.Number == number);
            if (chunk is null)
            {
                return false;
            }
            _chunks.Remove(chunk);
            if (chunk.Leases > 0)
            {
                chunk.Parked = false;
                _gone.Add(chunk);
            }
            return true;
        }

        public void Touch(int number)
        {
            if (_chunks.Find(chunk => chunk.Number == number) is { Parked: false } chunk)
            {
                _chunks.Remove(chunk);
                _chunks.Add(chunk);
            }
        }

        private bool TryEvict()
        {
            if (_chunks.TrueForAll(chunk => chunk.Leases > 0))
            {
                return false;
            }
            foreach (var chunk in _chunks.ToArray())
            {
                if (chunk.Parked)
                {
                    continue;
                }
                if (chunk.Leases == 0)
                {
                    _chunks.Remove(chunk);
                    return true;
                }
                chunk.Parked = true;
            }
            return false;
        }
    }

    private sealed class Chunk(int number)
    {
        public int Number { get; } = number;

        public int Leases { get; set; }

        public bool Parked { get; set; }
    }
}
