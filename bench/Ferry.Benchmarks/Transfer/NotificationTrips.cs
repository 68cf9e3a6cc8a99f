using System.Net.Sockets;
using Ferry.Transfer.Probe;
using Ferry.Transfer.Tcp;

namespace Ferry.Benchmarks.Transfer;

/// <summary>Round trips of a notification over loopback TCP beside those of a byte over a bare socket, in alternating rounds.</summary>
internal static class NotificationTrips
{
    private const int Count = 10_000;
    private const int Rounds = 5;

    public static async Task MeasureAsync()
    {
        await using var owner = await TcpTransferAgent.StartAsync(new TcpAgentOptions { EngineId = "owner", Port = 0 }, CancellationToken.None);
        await using var asker = await TcpTransferAgent.StartAsync(new TcpAgentOptions { EngineId = "asker", Port = 0 }, CancellationToken.None);
        await using var peer = (await asker.ConnectAsync(owner.Endpoint, CancellationToken.None)).Peer!;
        var probe = new NotificationProbe(peer, TimeProvider.System);
        var (ours, bare) = (new List<(double P50, double P99)>(), new List<(double P50, double P99)>());
        for (var round = -1; round < Rounds; round++)
        {
            var (trips, failure) = await probe.RunAsync(Count, CancellationToken.None);
            if (failure is { } reason)
            {
                throw new InvalidOperationException(reason.ToString());
            }
            var plain = await BareAsync();
            if (round >= 0)
            {
                ours.Add((trips[Count / 2].TotalMicroseconds, trips[Count * 99 / 100].TotalMicroseconds));
                bare.Add((plain[Count / 2].TotalMicroseconds, plain[Count * 99 / 100].TotalMicroseconds));
            }
        }
        Console.WriteLine();
        Console.WriteLine($"| Round trip over loopback TCP, {Rounds} rounds of {Count} | p50 µs | p99 µs |");
        Console.WriteLine("|---|---:|---:|");
        Console.WriteLine($"| notification | {ours.Select(one => one.P50).Median():F0} | {ours.Select(one => one.P99).Median():F0} |");
        Console.WriteLine($"| one byte, blocking sockets | {bare.Select(one => one.P50).Median():F0} | {bare.Select(one => one.P99).Median():F0} |");
    }

    private static async Task<List<TimeSpan>> BareAsync()
    {
        using var pair = LoopbackPair.Connect();
        var (near, far) = pair;
        var echo = Task.Factory.StartNew(() =>
        {
            var one = new byte[1];
            while (far.Receive(one) == 1)
            {
                far.Send(one);
            }
        }, TaskCreationOptions.LongRunning);
        var trips = new List<TimeSpan>(Count);
        var buffer = new byte[1];
        for (var i = 0; i < Count; i++)
        {
            var started = TimeProvider.System.GetTimestamp();
            near.Send(buffer);
            near.Receive(buffer);
            trips.Add(TimeProvider.System.GetElapsedTime(started));
        }
        near.Shutdown(SocketShutdown.Both);
        await echo;
        trips.Sort();
        return trips;
    }
}
