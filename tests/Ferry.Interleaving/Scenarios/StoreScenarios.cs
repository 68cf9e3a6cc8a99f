using System.Buffers;
using Ferry.Cache.Records;
using Volatile = Ferry.Cache.Volatile;

namespace Ferry.Interleaving.Scenarios;

/// <summary>Meetings of readers, writers and evictions in the memory tier.</summary>
public static class StoreScenarios
{
    public static IReadOnlyDictionary<string, Func<Scenario>> All { get; } = new Dictionary<string, Func<Scenario>>
    {
        [nameof(LeaseMeetsEviction)] = LeaseMeetsEviction,
        [nameof(LastReaderMeetsParking)] = LastReaderMeetsParking,
        [nameof(TwoReadersLeaveARemovedRecord)] = TwoReadersLeaveARemovedRecord,
        [nameof(PutsOfOneKeyMeet)] = PutsOfOneKeyMeet,
        [nameof(ReplacementMeetsReader)] = ReplacementMeetsReader,
        [nameof(PinnedMemoryOutlivesItsRecord)] = PinnedMemoryOutlivesItsRecord,
        [nameof(DamageIsReportedTwice)] = DamageIsReportedTwice,
        [nameof(QuotaHoldsAgainstTwoWriters)] = QuotaHoldsAgainstTwoWriters,
        [nameof(HardPinMeetsRemovalAndUnpin)] = HardPinMeetsRemovalAndUnpin,
        [nameof(SoftPinMeetsEviction)] = SoftPinMeetsEviction,
        [nameof(PinEndsOnce)] = PinEndsOnce,
        [nameof(RoomIsNotMissed)] = RoomIsNotMissed,
    };

    private static Scenario LeaseMeetsEviction()
    {
        var scene = new StoreScene(2, null, 1, 2);
        return new Scenario([() => scene.ReadAndRelease(1), () => scene.Put(3)?.Dispose(), () => scene.ReadAndRelease(2)], scene.CheckEmptiesWhole);
    }

    private static Scenario LastReaderMeetsParking()
    {
        var scene = new StoreScene(2, null, 1, 2);
        var lease = scene.Lease(1)!;
        return new Scenario([lease.Dispose, () => scene.Put(3)?.Dispose(), () => scene.Put(4)?.Dispose()], scene.CheckEmptiesWhole);
    }

    private static Scenario TwoReadersLeaveARemovedRecord()
    {
        var scene = new StoreScene(2, null, 1);
        var (first, second) = (scene.Lease(1)!, scene.Lease(1)!);
        return new Scenario([() => ProveAndRelease(first, 1), () => ProveAndRelease(second, 1), () => scene.Store.Remove(StoreScene.Key(1))], () =>
        {
            Require.That(scene.Store.Snapshot().UsedBytes == 0, "a removed record keeps its bytes after its last reader");
            scene.CheckEmptiesWhole();
        });
    }

    private static Scenario PutsOfOneKeyMeet()
    {
        var scene = new StoreScene(3);
        return new Scenario([() => scene.Put(1)?.Dispose(), () => scene.Put(1)?.Dispose(), () => scene.ReadAndRelease(1)], () =>
        {
            Require.That(scene.Store.Snapshot().Records == 1, $"{scene.Store.Snapshot().Records} records of one key and layout");
            scene.CheckEmptiesWhole();
        });
    }

    private static Scenario ReplacementMeetsReader()
    {
        var scene = new StoreScene(3, null, 1);
        void Read()
        {
            var lease = scene.Lease(1);
            Require.That(lease is not null, "a key that is being replaced was not there for a moment");
            var fill = lease!.Payload.Span[0];
            Require.That(fill is 1 or 9, "a value that nobody put");
            StoreScene.Prove(lease, fill);
            lease.Dispose();
        }
        return new Scenario([() => scene.Put(1, PutMode.Replace, fill: 9)?.Dispose(), Read], () =>
        {
            Require.That(scene.Lease(1) is { } lease && lease.Payload.Span[0] == 9 && Ended(lease), "the replaced value is still there");
            scene.CheckEmptiesWhole();
        });
    }

    private static Scenario PinnedMemoryOutlivesItsRecord()
    {
        var scene = new StoreScene(1, null, 1);
        var lease = scene.Lease(1)!;
        var memory = lease.Record;
        void Operate() // As an abandoned write to a slow tier: the lease has gone, the pin has not.
        {
            MemoryHandle pin;
            try
            {
                pin = memory.Pin();
            }
            catch (ObjectDisposedException)
            {
                return; // The record was gone before; the operation never began.
            }
            Require.That(!memory.Span[Ferry.Kv.Records.KvRecord.HeaderBytes..].ContainsAnyExcept((byte)1), "pinned memory was given to another record");
            pin.Dispose();
        }
        return new Scenario([Operate, lease.Dispose, () => scene.Put(2)?.Dispose()], scene.CheckEmptiesWhole);
    }

    private static Scenario DamageIsReportedTwice()
    {
        var scene = new StoreScene(2, null, 1);
        var (first, second) = (scene.Lease(1)!, scene.Lease(1)!);
        void Report(RecordLease lease)
        {
            scene.Store.DropDamaged(lease);
            lease.Dispose();
        }
        return new Scenario([() => Report(first), () => Report(second)], () =>
        {
            Require.That(scene.Store.Snapshot() is { Damaged: 1, Records: 0 }, $"one damage counts once: {scene.Store.Snapshot()}");
            scene.CheckEmptiesWhole();
        });
    }

    private static Scenario QuotaHoldsAgainstTwoWriters()
    {
        var scene = new StoreScene(4);
        var quota = scene.Store.Arena.SlotBytes(Ferry.Kv.Records.KvRecord.HeaderBytes + 64);
        Require.That(scene.Store.Quotas.TrySet("tenant", quota), "the quota was refused");
        void Put(int number)
        {
            scene.Put(number, salt: "tenant")?.Dispose();
            Require.That(scene.Store.Quotas.UsageOf("tenant").Bytes <= quota, "more than the quota");
        }
        return new Scenario([() => Put(1), () => Put(2)], () =>
        {
            Require.That(scene.Store.Quotas.UsageOf("tenant").Bytes <= quota, "more than the quota");
            scene.CheckEmptiesWhole();
        });
    }

    private static Scenario HardPinMeetsRemovalAndUnpin()
    {
        var scene = new StoreScene(2, null, 1);
        return new Scenario(
            [
                () => scene.Store.KeyPins.TryPin(StoreScene.Key(1), PinKind.Hard, TimeSpan.FromHours(1)),
                () => scene.Store.Remove(StoreScene.Key(1)),
                () => scene.Store.KeyPins.Unpin(StoreScene.Key(1)),
            ],
            () =>
            {
                scene.Store.KeyPins.Unpin(StoreScene.Key(1));
                Require.That(scene.Store.KeyPins.Count == 0 && scene.Store.Pins.Count == 0, "a pin is left");
                scene.CheckEmptiesWhole();
            });
    }

    private static Scenario SoftPinMeetsEviction()
    {
        var scene = new StoreScene(2, null, 1, 2);
        return new Scenario(
            [
                () => scene.Store.KeyPins.TryPin(StoreScene.Key(1), PinKind.Soft, TimeSpan.FromHours(1)),
                () => scene.Put(3)?.Dispose(),
                () => scene.Store.KeyPins.Unpin(StoreScene.Key(1)),
            ],
            scene.CheckEmptiesWhole);
    }

    private static Scenario PinEndsOnce()
    {
        var scene = new StoreScene(1, null, 1);
        var ends = 0;
        scene.Store.Pins.TryAdd([scene.Lease(1)!], TimeSpan.FromHours(1), _ => ends++, out var pinId, out _);
        return new Scenario(
            [() => scene.Store.Pins.Release(pinId), () => scene.Store.Pins.TryExtend(pinId, TimeSpan.FromHours(2), out _), scene.Store.Pins.Dispose],
            () =>
            {
                Require.That(ends == 1, $"the pin ended {ends} times");
                scene.CheckEmptiesWhole();
            });
    }

    private static Scenario RoomIsNotMissed()
    {
        var signal = new RoomSignal(1);
        var (room, saw) = (0, false);
        Task next = Task.CompletedTask;
        return new Scenario(
            [
                () =>
                {
                    Require.That(signal.TryJoin(), "the first waiter was refused");
                    next = signal.Next;
                    saw = Volatile.Read(ref room) == 1;
                },
                () =>
                {
                    Volatile.Write(ref room, 1);
                    signal.Wake();
                },
            ],
            () => Require.That(saw || next.IsCompleted, "room came, but who waits for it was not woken"));
    }

    private static void ProveAndRelease(RecordLease lease, int number)
    {
        StoreScene.Prove(lease, number);
        lease.Dispose();
    }

    private static bool Ended(RecordLease lease)
    {
        lease.Dispose();
        return true;
    }
}
