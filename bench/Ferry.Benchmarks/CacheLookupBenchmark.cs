using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using System.Net.Sockets;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Ferry.Cache;
using Ferry.Cache.Arena;
using Ferry.Cache.Chains;
using Ferry.Cache.Eviction;
using Ferry.Cache.Records;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.Transfer.Probe;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Benchmarks;

/// <summary>The memory tier with a million of the smallest records: index bytes, chains, single operations, checksum: docs/measurements/cache-lookup.md.</summary>
internal static class CacheLookupBenchmark
{
    private const int ChainChunks = 512;
    private const int Chains = 200;
    private const int Rounds = 5;
    private const int WarmRounds = 3; // Not counted: code that is compiled while it runs gets its last form.
    private const int WarmPuts = 30;
    private static UInt128 _seen; // So that what is read is not optimized away.
    private static readonly KvLayout Smallest = new()
    {
        Layers = 1,
        ModelHeads = 1,
        FirstHead = 0,
        Heads = 1,
        HeadDim = 1,
        Tokens = 1,
        BlockTokens = 0,
        DType = KvDType.BFloat16,
        Order = KvOrder.TwoLtd,
        Packing = KvPacking.Split,
    };

    public static void Run(string[] options)
    {
        var records = options.Length > 0 ? int.Parse(options[0], CultureInfo.InvariantCulture) : 1_000_000;
        Console.WriteLine($"{records} records of {Smallest.PayloadBytes} payload bytes, chains of {ChainChunks} chunks, best and median of {Rounds} alternating rounds over {Chains} chains; processor time of the thread.");
        Console.WriteLine();
        Console.WriteLine("| index of | bytes a record |");
        Console.WriteLine("|---|---:|");
        using var small = Filled(10_000, "lru", out _);
        using var store = Filled(records, "lru", out var bytes);
        Console.WriteLine($"| {records} records, lru | {bytes:F1} |");
        foreach (var policy in EvictionPolicies.Names.Where(name => name != "lru"))
        {
            using var other = Filled(records / 4, policy, out bytes);
            Console.WriteLine($"| {records / 4} records, {policy} | {bytes:F1} |");
        }
        Time(small, store, records);
        Checksum();
    }

    /// <summary>A store that is full, and what its index takes: managed bytes, since native memory holds records alone.</summary>
    private static RecordStore Filled(int records, string policy, out double bytesARecord)
    {
        var slot = (KvRecord.HeaderBytes + Smallest.PayloadBytes + 63) / 64 * 64;
        var store = new RecordStore(
            new KvArena(new KvArenaOptions { CapacityBytes = records * slot, AlignmentBytes = 64 }), EvictionPolicies.Create(policy), new RecordPins(TimeProvider.System),
            NullLogger<RecordStore>.Instance);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var number = 0; number < records; number++)
        {
            Put(store, number);
        }
        bytesARecord = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)records;
        if (store.Snapshot().Records != records)
        {
            throw new InvalidOperationException($"{store.Snapshot().Records} of {records} records are there.");
        }
        return store;
    }

    private static KvKey Key(int number)
    {
        Span<byte> hash = stackalloc byte[32];
        XxHash128.Hash(BitConverter.GetBytes(number), hash);
        XxHash128.Hash(BitConverter.GetBytes(~number), hash[16..]);
        return new KvKey("tenant", 42, new ChunkHash(hash));
    }

    private static void Put(RecordStore store, int number)
    {
        var key = Key(number);
        using var room = store.TryReserve(key, Smallest, PutMode.KeepFirst, out _)!;
        room.Commit(new KvRecordHeader(Smallest, key.Model, 0, key.Hash, key.Salt, Smallest.PayloadBytes, 0)).Dispose();
    }

    private static void Time(RecordStore small, RecordStore store, int records)
    {
        var cache = new RecordCache(store, [], new RecordCacheOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        var few = new RecordCache(small, [], new RecordCacheOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        var random = new Random(3);
        KvKey[][] runs = NewRuns(random, records);
        KvKey[][] chains = [.. Enumerable.Range(0, Chains).Select(_ => Enumerable.Range(0, ChainChunks).Select(_ => Key(random.Next(records))).ToArray())];
        KvKey[][] near = [.. Enumerable.Range(0, Chains).Select(_ => Enumerable.Range(0, ChainChunks).Select(_ => Key(random.Next(10_000))).ToArray())];
        var query = new ChunkQuery(0, 0, 1, Smallest);
        var next = records;
        (string Name, int Operations, Func<int, IDisposable?> Run)[] cases =
        [
            ("chain of 512 looked up and held, chunks from all over a million", 1, at => LookUp(cache, chains[at], query)),
            ("the same among 10,000 records", 1, at => LookUp(few, near[at], query)),
            ("the same, chunks put one after the other, as prompts are", 1, at => LookUp(cache, runs[at], query)),
            ("chain of 512 looked up, held and let go, as prompts are", 1, at => Dispose(LookUp(cache, runs[at], query))),
            ("chain that memory does not have", 1, at => LookUp(cache, [.. chains[at].Select(key => key with { Model = 7 })], query)),
            ("get: lease and end", ChainChunks, at =>
            {
                foreach (var key in chains[at])
                {
                    store.TryLease(key, query, out var lease);
                    lease?.Dispose();
                }
                return null;
            }
            ),
            ("put, evicting: reserve, commit, end", ChainChunks, _ =>
            {
                for (var count = 0; count < ChainChunks; count++)
                {
                    Put(store, next++);
                }
                return null;
            }
            ),
        ];
        var times = cases.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round < WarmRounds + Rounds; round++)
        {
            for (var index = 0; index < cases.Length; index++)
            {
                for (var at = 0; at < Chains; at++)
                {
                    var begun = ThreadCpuClock.Now();
                    var held = cases[index].Run(at);
                    var took = (ThreadCpuClock.Now() - begun).TotalMicroseconds / cases[index].Operations;
                    held?.Dispose();
                    if (round >= WarmRounds)
                    {
                        times[index].Add(took);
                    }
                }
                if (index == cases.Length - 1)
                {
                    runs = NewRuns(random, next);
                    chains = [.. chains.Select(chain => chain.Select(_ => Key(random.Next(next - (records / 2), next))).ToArray())]; // The puts evicted the old ones.
                }
            }
        }
        Console.WriteLine();
        Console.WriteLine("| operation | best us | median us | op/s (median) |");
        Console.WriteLine("|---|---:|---:|---:|");
        for (var index = 0; index < cases.Length; index++)
        {
            times[index].Sort();
            var median = times[index][times[index].Count / 2];
            Console.WriteLine($"| {cases[index].Name} | {times[index][0]:F2} | {median:F2} | {1e6 / median:F0} |");
        }
    }

    /// <summary>Chains whose chunks came one after the other, among the newest half.</summary>
    private static KvKey[][] NewRuns(Random random, int next) => [.. Enumerable.Range(0, Chains).Select(_ =>
    {
        var first = random.Next(next - 400_000, next - ChainChunks);
        return Enumerable.Range(first, ChainChunks).Select(Key).ToArray();
    })];

    private static ChainLookup LookUp(RecordCache cache, KvKey[] keys, ChunkQuery query)
    {
        var looking = cache.LookUpAsync(keys, _ => query, CancellationToken.None);
        return looking.IsCompletedSuccessfully ? looking.GetAwaiter().GetResult() : throw new InvalidOperationException("A look-up in memory went elsewhere.");
    }

    private static IDisposable? Dispose(ChainLookup lookup)
    {
        lookup.Dispose();
        return null;
    }

    /// <summary>A put as a front does it, from a loopback socket straight into its place: with the checksum of what has just come, without, and with no more than one look at every byte, which bounds every checksum.</summary>
    private static void Checksum()
    {
        const int Payload = 20 << 20;
        const int PutRounds = 150;
        using var store = new RecordStore(
            new KvArena(new KvArenaOptions { CapacityBytes = 256 << 20 }), EvictionPolicies.Create("lru"), new RecordPins(TimeProvider.System), NullLogger<RecordStore>.Instance);
        using var pair = LoopbackPair.Connect();
        var (sender, receiver) = pair;
        var sending = new Thread(() => Send(sender, Payload)) { IsBackground = true };
        sending.Start();
        var rounds = new List<PutTimes[]>();
        var kinds = Enum.GetValues<OnArrival>();
        for (var round = 0; round < WarmPuts + PutRounds; round++)
        {
            var times = new PutTimes[kinds.Length];
            for (var turn = 0; turn < kinds.Length; turn++)
            {
                var kind = kinds[(round + turn) % kinds.Length]; // None is always the second.
                times[(int)kind] = PutTimesOf(store, receiver, Payload, kind, (round * kinds.Length) + turn);
            }
            if (round >= WarmPuts)
            {
                rounds.Add(times);
            }
        }
        Console.WriteLine();
        Console.WriteLine($"| put of 20 MiB from a loopback socket, median of {PutRounds} alternating rounds | without checksum | every byte read once as it arrives | overhead | checksum as the bytes arrive | overhead, median of the rounds' |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|");
        Report("wall, ms", one => one.Wall);
        Report("processor time of both ends, ms", one => one.Process);
        Report("processor time of the receiver, ms", one => one.Receiver);
        Console.WriteLine();
        Rate(Payload);

        void Report(string name, Func<PutTimes, TimeSpan> time)
        {
            var (read, hashed) = (Cells(OnArrival.Read), Cells(OnArrival.Checksum));
            Console.WriteLine($"| {name} | {Median(rounds.Select(round => time(round[(int)OnArrival.Nothing]).TotalMilliseconds)):F2} | {read} | {hashed} |");

            string Cells(OnArrival kind) =>
                $"{Median(rounds.Select(round => time(round[(int)kind]).TotalMilliseconds)):F2} | {Median(rounds.Select(round => time(round[(int)kind]) / time(round[(int)OnArrival.Nothing]))) - 1:P1}";
        }
    }

    /// <summary>The checksum's own rate, and that of the library's code for every processor.</summary>
    private static void Rate(int payload)
    {
        var bytes = new byte[payload];
        new Random(4).NextBytes(bytes);
        Console.WriteLine("| XXH3-128, GB/s of processor time | 256 KiB, in the second cache | 20 MiB, in memory |");
        Console.WriteLine("|---|---:|---:|");
        Console.WriteLine($"| {(RecordChecksum.IsWide ? "as records take it, 64-byte vectors" : "as records take it")} | {RateOf(bytes.AsMemory(0, 256 << 10), RecordChecksum.Of):F1} | {RateOf(bytes, RecordChecksum.Of):F1} |");
        Console.WriteLine($"| every byte read once, no more | {RateOf(bytes.AsMemory(0, 256 << 10), ReadOnce):F1} | {RateOf(bytes, ReadOnce):F1} |");
        Console.WriteLine($"| System.IO.Hashing | {RateOf(bytes.AsMemory(0, 256 << 10), span => XxHash128.HashToUInt128(span)):F1} | {RateOf(bytes, span => XxHash128.HashToUInt128(span)):F1} |");
    }

    private static double RateOf(ReadOnlyMemory<byte> bytes, Func<ReadOnlySpan<byte>, UInt128> hash)
    {
        var rates = new List<double>();
        for (var round = 0; round < 60; round++)
        {
            var begun = ThreadCpuClock.Now();
            var done = 0L;
            for (; done < 20 << 20; done += bytes.Length)
            {
                hash(bytes.Span);
            }
            rates.Add(done / (ThreadCpuClock.Now() - begun).TotalSeconds / 1e9);
        }
        return Median(rates);
    }

    /// <summary>The least that any checksum does with bytes: all of them come into a register. Asked for as far ahead as the checksum asks.</summary>
    private static unsafe UInt128 ReadOnce(ReadOnlySpan<byte> bytes)
    {
        const int AheadBytes = 2048;
        var (one, other) = (Vector512<ulong>.Zero, Vector512<ulong>.Zero);
        fixed (byte* start = bytes)
        {
            for (var at = 0; at + 128 <= bytes.Length; at += 128)
            {
                if (Sse.IsSupported)
                {
                    Sse.Prefetch0(start + at + AheadBytes);
                    Sse.Prefetch0(start + at + AheadBytes + 64);
                }
                one ^= Vector512.Load(start + at).AsUInt64();
                other ^= Vector512.Load(start + at + 64).AsUInt64();
            }
        }
        return (one ^ other)[0];
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private static void Send(Socket socket, int bytes)
    {
        var source = new byte[1 << 20];
        new Random(5).NextBytes(source);
        try
        {
            while (true)
            {
                for (var at = 0; at < bytes; at += socket.Send(source.AsSpan(0, Math.Min(source.Length, bytes - at))))
                {
                }
            }
        }
        catch (SocketException)
        {
            // The receiver has seen enough.
        }
        catch (ObjectDisposedException)
        {
        }
    }

    private static PutTimes PutTimesOf(RecordStore store, Socket receiver, int payload, OnArrival kind, int number)
    {
        var layout = KvLayout.Opaque(payload);
        var key = Key(number);
        using var room = store.TryReserve(key, layout, PutMode.Replace, out _)!;
        var (process, thread, begun) = (ThreadCpuClock.OfProcess(), ThreadCpuClock.Now(), Stopwatch.GetTimestamp());
        for (var at = 0; at < payload;)
        {
            var read = receiver.Receive(room.Payload.Span.Slice(at, Math.Min(256 << 10, payload - at)));
            if (kind == OnArrival.Checksum)
            {
                room.Advance(read);
            }
            else if (kind == OnArrival.Read)
            {
                _seen ^= ReadOnce(room.Payload.Span.Slice(at, read));
            }
            at += read;
        }
        var header = new KvRecordHeader(layout, key.Model, 0, key.Hash, key.Salt, payload, 0);
        (kind == OnArrival.Checksum ? room.Commit(header) : room.CommitVerified(header)).Dispose();
        return new PutTimes(Stopwatch.GetElapsedTime(begun), ThreadCpuClock.OfProcess() - process, ThreadCpuClock.Now() - thread);
    }

    private enum OnArrival
    {
        Nothing,
        Read,
        Checksum,
    }

    private readonly record struct PutTimes(TimeSpan Wall, TimeSpan Process, TimeSpan Receiver);
}
