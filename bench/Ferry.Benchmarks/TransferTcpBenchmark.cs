using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.Tcp;

namespace Ferry.Benchmarks;

/// <summary>
/// READs over loopback beside a raw socket loop that moves the same bytes between the same kinds of memory, in alternating rounds of one
/// run. Both ends are in this process, so CPU seconds are those of both.
/// </summary>
internal static class TransferTcpBenchmark
{
    private const int ArenaBytes = 256 << 20; // larger than any last-level cache here: every byte is cold
    private const int Rounds = 11;
    private const long RoundBytes = 512L << 20;

    private sealed record Case(string Name, int DescriptorBytes, int ReadBytes, int InFlight);

    private readonly record struct Sample(double Seconds, double CpuSeconds);

    public static void Run(string[] args)
    {
        var streams = args.Length > 0 ? int.Parse(args[0]) : new TcpAgentOptions { EngineId = "x" }.StreamsPerPeer;
        var buffers = args.Length > 1 ? int.Parse(args[1]) : 0;
        var reads = args.Length > 2 ? new TransferLimits { SegmentBytes = int.Parse(args[2]) } : new TransferLimits();
        RunAsync(streams, buffers, reads).GetAwaiter().GetResult();
    }

    private static async Task RunAsync(int streams, int socketBufferBytes, TransferLimits reads)
    {
        Case[] cases =
        [
            new("20 MiB shard, 1 in flight", 20 << 20, 20 << 20, 1),
            new("20 MiB shards, 4 in flight", 20 << 20, 20 << 20, 4),
            new("320 × 64 KiB scattered, 1 in flight", 64 << 10, 20 << 20, 1),
            new("320 × 64 KiB scattered, 4 in flight", 64 << 10, 20 << 20, 4),
            new("64 KiB, 1 in flight", 64 << 10, 64 << 10, 1),
        ];
        Console.WriteLine($"{streams} streams, socket buffers {(socketBufferBytes == 0 ? "of the kernel" : socketBufferBytes)}, segments of {reads.SegmentBytes >> 10} KiB; median of {Rounds} rounds of {RoundBytes >> 20} MiB.");
        Console.WriteLine();
        Console.WriteLine("| READ over loopback TCP | GB/s | raw socket GB/s | ratio (min–max) | CPU-s/GB, both ends | raw CPU-s/GB |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|");
        foreach (var one in cases)
        {
            await MeasureAsync(one, streams, socketBufferBytes, reads);
        }
    }

    private static async Task MeasureAsync(Case one, int streams, int socketBufferBytes, TransferLimits reads)
    {
        await using var owner = await TcpTransferAgent.StartAsync(Options("owner", streams, socketBufferBytes, reads), CancellationToken.None);
        await using var reader = await TcpTransferAgent.StartAsync(Options("reader", streams, socketBufferBytes, reads), CancellationToken.None);
        var source = new TestArena(owner, ArenaBytes).Fill(1);
        var target = new TestArena(reader, ArenaBytes);
        var lease = owner.Leases.TryGrant([source.All], TimeSpan.FromSeconds(400))!;
        await using var peer = (await reader.ConnectAsync(owner.Endpoint, CancellationToken.None)).Peer!;
        using var raw = new RawLoop(streams, source, target, socketBufferBytes);
        var roundBytes = Math.Max(one.ReadBytes * 4L, one.ReadBytes < 1 << 20 ? RoundBytes / 4 : RoundBytes);
        var ferry = new List<Sample>();
        var plain = new List<Sample>();
        for (var round = -1; round < Rounds; round++)
        {
            var first = round % 2 == 0;
            var a = first ? await TakeAsync(() => ReadAllAsync(peer, lease, source, target, one, roundBytes)) : await TakeAsync(() => raw.MoveAsync(one.ReadBytes, one.InFlight, roundBytes));
            var b = first ? await TakeAsync(() => raw.MoveAsync(one.ReadBytes, one.InFlight, roundBytes)) : await TakeAsync(() => ReadAllAsync(peer, lease, source, target, one, roundBytes));
            if (round >= 0) // the first warms up
            {
                ferry.Add(first ? a : b);
                plain.Add(first ? b : a);
            }
        }
        var gigabytes = roundBytes / 1e9;
        var ratios = ferry.Zip(plain, (f, p) => p.Seconds / f.Seconds).Order().ToArray();
        Console.WriteLine($"| {one.Name} | {gigabytes / Median(ferry, s => s.Seconds):F2} | {gigabytes / Median(plain, s => s.Seconds):F2} "
            + $"| {ratios[ratios.Length / 2]:F2} ({ratios[0]:F2}–{ratios[^1]:F2}) | {Median(ferry, s => s.CpuSeconds) / gigabytes:F2} | {Median(plain, s => s.CpuSeconds) / gigabytes:F2} |");
    }

    private static TcpAgentOptions Options(string engineId, int streams, int socketBufferBytes, TransferLimits reads) => new()
    {
        EngineId = engineId,
        Port = 0,
        StreamsPerPeer = streams,
        SocketBufferBytes = socketBufferBytes,
        Transfers = reads,
    };

    private static async Task ReadAllAsync(ITransferPeer peer, Lease lease, TestArena source, TestArena target, Case one, long roundBytes)
    {
        var perRead = one.ReadBytes / one.DescriptorBytes;
        var slots = ArenaBytes / one.ReadBytes;
        // Scattered: neighbours in the request are not neighbours in either memory.
        TransferDescriptor[][] plans = [.. Enumerable.Range(0, slots).Select(slot => Enumerable.Range(0, perRead).Select(i =>
        {
            var shuffled = perRead == 1 ? 0 : i * 37 % perRead;
            var offset = (long)slot * one.ReadBytes + (long)shuffled * one.DescriptorBytes;
            return new TransferDescriptor(new RemoteRange(lease.Id, lease.Generation, source.Region.Id, offset, one.DescriptorBytes), target.Region, offset);
        }).ToArray())];
        var count = (int)(roundBytes / one.ReadBytes);
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, one.InFlight).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var index && index < count)
            {
                var outcome = await peer.ReadAsync(plans[index % slots], CancellationToken.None);
                if (!outcome.IsSuccess)
                {
                    throw new InvalidOperationException(outcome.ToString());
                }
            }
        }));
    }

    private static async Task<Sample> TakeAsync(Func<Task> work)
    {
        using var process = Process.GetCurrentProcess();
        var cpu = process.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        await work();
        var seconds = clock.Elapsed.TotalSeconds;
        process.Refresh();
        return new Sample(seconds, (process.TotalProcessorTime - cpu).TotalSeconds);
    }

    private static double Median(List<Sample> samples, Func<Sample, double> value) => samples.Select(value).Median();

    /// <summary>
    /// The limit: per stream a thread that sends from memory and one that receives into memory, blocking, a one-byte question per piece.
    /// From 1 MiB up it asks one piece ahead and uses every stream, which is the best such a loop can do; below, with one read in flight,
    /// it asks and waits on one stream, as such a read does.
    /// </summary>
    private sealed class RawLoop : IDisposable
    {
        private const int CallBytes = 1 << 20;
        private readonly List<(Socket Sender, Socket Receiver)> _pairs = [];
        private readonly TestArena _source;
        private readonly TestArena _target;
        private bool _asksAhead;

        public RawLoop(int streams, TestArena source, TestArena target, int socketBufferBytes)
        {
            (_source, _target) = (source, target);
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen();
            for (var i = 0; i < streams; i++)
            {
                var receiver = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                receiver.Connect(listener.LocalEndPoint!);
                var sender = listener.Accept();
                foreach (var socket in new[] { sender, receiver })
                {
                    socket.NoDelay = true;
                    if (socketBufferBytes > 0)
                    {
                        (socket.SendBufferSize, socket.ReceiveBufferSize) = (socketBufferBytes, socketBufferBytes);
                    }
                }
                _pairs.Add((sender, receiver));
            }
        }

        public Task MoveAsync(int readBytes, int inFlight, long totalBytes)
        {
            _asksAhead = readBytes >= 1 << 20 || inFlight > 1;
            var used = _asksAhead ? _pairs.Count : 1;
            var perStream = (int)(totalBytes / readBytes / used);
            return Task.WhenAll(Enumerable.Range(0, used).SelectMany(i => new[]
            {
                Task.Factory.StartNew(() => Send(_pairs[i].Sender, i, readBytes, perStream), TaskCreationOptions.LongRunning),
                Task.Factory.StartNew(() => Receive(_pairs[i].Receiver, i, readBytes, perStream), TaskCreationOptions.LongRunning),
            }));
        }

        public void Dispose()
        {
            foreach (var (sender, receiver) in _pairs)
            {
                sender.Dispose();
                receiver.Dispose();
            }
        }

        private void Send(Socket socket, int stream, int readBytes, int count)
        {
            Span<byte> question = stackalloc byte[1];
            var slots = ArenaBytes / readBytes;
            for (var n = 0; n < count; n++)
            {
                socket.Receive(question);
                var bytes = _source.Bytes.Slice((n * _pairs.Count + stream) % slots * readBytes, readBytes);
                while (!bytes.IsEmpty)
                {
                    bytes = bytes[socket.Send(bytes[..Math.Min(CallBytes, bytes.Length)])..];
                }
            }
        }

        private void Receive(Socket socket, int stream, int readBytes, int count)
        {
            Span<byte> question = stackalloc byte[1];
            var slots = ArenaBytes / readBytes;
            socket.Send(question);
            for (var n = 0; n < count; n++)
            {
                if (_asksAhead && n + 1 < count)
                {
                    socket.Send(question);
                }
                var bytes = _target.Bytes.Slice((n * _pairs.Count + stream) % slots * readBytes, readBytes);
                while (!bytes.IsEmpty)
                {
                    bytes = bytes[socket.Receive(bytes[..Math.Min(CallBytes, bytes.Length)])..];
                }
                if (!_asksAhead && n + 1 < count)
                {
                    socket.Send(question);
                }
            }
        }
    }
}
