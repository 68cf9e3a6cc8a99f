using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Ferry.TestKit.Exchange;

/// <summary>A mixed load of RESP clients on a process for a time, with its memory watched and every byte that comes back judged.</summary>
/// <remarks>A value says which key and version it is and fills itself from that, so that any reader can tell a right one from a wrong one, whoever wrote it last.</remarks>
public sealed class SoakLoad(int port, int processId, int keys, int seed)
{
    private const int HeadBytes = 24;
    private const int Samples = 64;
    private static readonly int[] ValueBytes = [4 << 10, 64 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20];

    private long _operations;
    private long _bytesIn;
    private long _bytesOut;
    private long _hits;
    private long _gets;
    private long _wrong;

    /// <summary>Runs for a time.</summary>
    public async Task<SoakReport> RunAsync(TimeSpan duration, int connections, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(duration);
        var watch = WatchAsync(end.Token);
        await Task.WhenAll(Enumerable.Range(0, connections).Select(client => Task.Run(() => LoadAsync(new Random(seed + client), end.Token), CancellationToken.None)));
        return new SoakReport(duration, _operations, _bytesIn, _bytesOut, _gets, _hits, _wrong, await watch);
    }

    private async Task LoadAsync(Random random, CancellationToken end)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync("127.0.0.1", port, CancellationToken.None);
        var stream = client.GetStream();
        var buffer = new byte[ValueBytes[^1] + 64];
        while (!end.IsCancellationRequested)
        {
            var key = random.Next(keys);
            switch (random.Next(20))
            {
                case < 11:
                    await GetAsync(stream, key, buffer);
                    break;
                case < 18:
                    await SetAsync(stream, key, random.NextInt64(), ValueBytes[random.Next(ValueBytes.Length)], buffer);
                    break;
                case 18:
                    await AskAsync(stream, $"*2\r\n$6\r\nEXISTS\r\n{Bulk(Name(key))}", buffer);
                    break;
                default:
                    await AskAsync(stream, $"*2\r\n$3\r\nDEL\r\n{Bulk(Name(key))}", buffer);
                    break;
            }
            Interlocked.Increment(ref _operations);
        }
    }

    private async Task SetAsync(NetworkStream stream, int key, long version, int bytes, byte[] buffer)
    {
        Fill(buffer.AsSpan(0, bytes), key, version);
        var head = System.Text.Encoding.ASCII.GetBytes($"*3\r\n$3\r\nSET\r\n{Bulk(Name(key))}${bytes.ToString(CultureInfo.InvariantCulture)}\r\n");
        await stream.WriteAsync(head);
        await stream.WriteAsync(buffer.AsMemory(0, bytes));
        await stream.WriteAsync("\r\n"u8.ToArray());
        Interlocked.Add(ref _bytesIn, bytes);
        await LineAsync(stream, buffer);   // +OK, or -ERR when everything is held: both are answers
    }

    private async Task GetAsync(NetworkStream stream, int key, byte[] buffer)
    {
        Interlocked.Increment(ref _gets);
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"*2\r\n$3\r\nGET\r\n{Bulk(Name(key))}"));
        var line = await LineAsync(stream, buffer);
        if (line == "$-1")
        {
            return;
        }
        var bytes = int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture);
        await stream.ReadExactlyAsync(buffer.AsMemory(0, bytes + 2));
        Interlocked.Add(ref _bytesOut, bytes);
        Interlocked.Increment(ref _hits);
        if (!IsRight(buffer.AsSpan(0, bytes), key))
        {
            Interlocked.Increment(ref _wrong);
        }
    }

    private static async Task AskAsync(NetworkStream stream, string command, byte[] buffer)
    {
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(command));
        await LineAsync(stream, buffer);
    }

    private static async Task<string> LineAsync(NetworkStream stream, byte[] buffer)
    {
        var at = 0;
        while (at < 2 || buffer[at - 2] != '\r' || buffer[at - 1] != '\n')
        {
            await stream.ReadExactlyAsync(buffer.AsMemory(at++, 1));
        }
        return System.Text.Encoding.ASCII.GetString(buffer, 0, at - 2);
    }

    private async Task<IReadOnlyList<long>> WatchAsync(CancellationToken end)
    {
        var samples = new List<long>();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        try
        {
            while (await timer.WaitForNextTickAsync(end))
            {
                samples.Add(ResidentBytes());
            }
        }
        catch (OperationCanceledException)
        {
            // The time is over.
        }
        return samples;
    }

    private long ResidentBytes()
    {
        using var process = Process.GetProcessById(processId);
        return process.WorkingSet64;
    }

    private static string Name(int key) => $"soak-{key.ToString(CultureInfo.InvariantCulture)}";

    private static string Bulk(string text) => $"${text.Length.ToString(CultureInfo.InvariantCulture)}\r\n{text}\r\n";

    private static void Fill(Span<byte> value, int key, long version)
    {
        BinaryPrimitives.WriteInt64LittleEndian(value, key);
        BinaryPrimitives.WriteInt64LittleEndian(value[8..], version);
        BinaryPrimitives.WriteInt64LittleEndian(value[16..], value.Length);
        var words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(value[HeadBytes..]);
        for (var index = 0; index < words.Length; index++)
        {
            words[index] = Word(version, index);
        }
    }

    private static bool IsRight(ReadOnlySpan<byte> value, int key)
    {
        var version = BinaryPrimitives.ReadInt64LittleEndian(value[8..]);
        if (BinaryPrimitives.ReadInt64LittleEndian(value) != key || BinaryPrimitives.ReadInt64LittleEndian(value[16..]) != value.Length)
        {
            return false;
        }
        var words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(value[HeadBytes..]);
        for (var sample = 0; sample <= Samples; sample++)
        {
            var index = (int)((long)(words.Length - 1) * sample / Samples);
            if (words[index] != Word(version, index))
            {
                return false;
            }
        }
        return true;
    }

    private static long Word(long version, int index) => unchecked((version + index) * -7046029254386353131L);
}
