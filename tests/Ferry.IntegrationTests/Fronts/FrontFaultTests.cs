using System.Net.Sockets;
using System.Text;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Lm;
using Ferry.Cache.Remote.Resp;
using Ferry.TestKit;
using static Ferry.IntegrationTests.Fronts.RespText;

namespace Ferry.IntegrationTests.Fronts;

/// <summary>Clients that are slow, gone, greedy or hostile: each loses its connection, and nothing is left behind.</summary>
public sealed class FrontFaultTests
{
    private static readonly string Value = new('v', 1 << 20);

    private static async Task AdvanceUntilQuietAsync(FrontHost host)
    {
        var quiet = host.IsQuietAsync();
        while (!quiet.IsCompleted)
        {
            host.Time.Advance(TimeSpan.FromSeconds(1)); // The watch looks once a second.
            await Task.Delay(2); // A client can have its answer before the front's thread has left the send: that is no stall.
        }
        await quiet;
    }

    private static string Ended(FrontHost host)
    {
        var text = new StringBuilder();
        host.Registry.WriteText(text);
        return text.ToString();
    }

    [Theory]
    [InlineData("*")]
    [InlineData("*3\r\n$3\r\nSE")]
    [InlineData("PIN")]
    [InlineData("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\nabc")]
    [InlineData("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nabc")]
    public async Task SlowClient_InTheMiddleOfACommand_LosesItsConnectionAndItsRoom(string part)
    {
        await using var host = await FrontHost.StartAsync();
        using var client = host.ConnectResp();
        await client.ExchangeAsync("PING\r\n", "+PONG\r\n");
        await client.SendAsync(part);
        var reading = client.ReadToEndAsync();

        await AdvanceUntilQuietAsync(host);

        Assert.Equal("", (await reading).Replace("(reset)", "", StringComparison.Ordinal));
        Assert.Contains("ferry_front_connections_ended_total{front=\"resp\",reason=\"Stalled\"} 1.0", Ended(host), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SlowReader_OfALongValue_LosesItsLease()
    {
        await using var host = await FrontHost.StartAsync();
        using var client = host.ConnectResp();
        await client.ExchangeAsync(Of("SET", "k", string.Concat(Enumerable.Repeat(Value, 20))), "+OK\r\n");
        await client.SendAsync(string.Concat(Enumerable.Repeat(Of("GET", "k"), 8))); // More than socket buffers hold, and nobody reads.
        await Eventually.HoldsAsync(() => host.Cache.Memory.Snapshot().Leases == 1);

        await AdvanceUntilQuietAsync(host);

        Assert.Contains("ferry_front_connections_ended_total{front=\"resp\",reason=\"Stalled\"} 1.0", Ended(host), StringComparison.Ordinal);
    }

    [Fact]
    public async Task IdleClient_BeyondItsTimeout_IsClosed_AndStaysWithoutOne()
    {
        await using var host = await FrontHost.StartAsync(new RespFrontOptions { Port = 0, IdleTimeout = TimeSpan.FromMinutes(5) });
        using var client = host.ConnectResp();
        await client.ExchangeAsync("PING\r\n", "+PONG\r\n");
        await AdvanceUntilQuietAsync(host);
        Assert.Equal("", await client.ReadToEndAsync());
        Assert.Contains("ferry_front_connections_ended_total{front=\"resp\",reason=\"Idle\"} 1.0", Ended(host), StringComparison.Ordinal);

        await using var patient = await FrontHost.StartAsync();
        using var other = patient.ConnectResp();
        await other.ExchangeAsync("PING\r\n", "+PONG\r\n");
        patient.Time.Advance(TimeSpan.FromDays(30));
        await other.ExchangeAsync("PING\r\n", "+PONG\r\n");
    }

    [Fact]
    public async Task ClientWithoutPassword_WhoSaysNothing_IsClosed()
    {
        await using var host = await FrontHost.StartAsync(new RespFrontOptions { Port = 0, Password = "sesame" });
        using var client = host.ConnectResp();
        await Eventually.HoldsAsync(() => host.Resp.ConnectionCount == 1);
        await AdvanceUntilQuietAsync(host);
        Assert.Equal("", await client.ReadToEndAsync());
    }

    /// <summary>A reset after every byte of a conversation that passes through every phase.</summary>
    [Fact]
    public async Task Disconnect_AfterAnyByte_LeavesNothing()
    {
        await using var host = await FrontHost.StartAsync();
        var script = Encoding.Latin1.GetBytes(
            Of("SET", "big", new string('v', 40_000)) + Of("GET", "big") + Of("SET", "small", "x") + "PING\r\n" + Of("MGET", "big", "small", "none") + Of("SET", "last", new string('w', 20_000), "NX"));
        int[] cuts = [.. Enumerable.Range(0, 60), 16_430, 39_999, 40_030, 40_031, 40_032, 40_033, 40_034, .. Enumerable.Range(40_035, 120), .. Enumerable.Range(script.Length - 40, 40)];
        foreach (var cut in cuts)
        {
            using var client = host.ConnectResp();
            await client.SendAsync(script.AsMemory(0, Math.Min(cut, script.Length)));
            client.Socket.LingerState = new LingerOption(true, cut % 2 == 0 ? 0 : 1); // Every other one resets instead of closing.
        }
        await host.IsQuietAsync();
        using var after = host.ConnectResp();
        await after.ExchangeAsync("PING\r\n", "+PONG\r\n");
    }

    [Fact]
    public async Task LmDisconnect_AfterAnyByte_LeavesNothing()
    {
        await using var host = await FrontHost.StartAsync();
        byte[] script = [.. LmWire.WriteRequest(LmForm.WithLocation, LmCommand.Put, 30_000, new LmShape(1, 3, 2, 1, 1, 1), "m@1@0@ff@half"u8), .. new byte[30_000], .. LmWire.WriteRequest(LmForm.WithLocation, LmCommand.Get, 0, LmShape.OfNothing, "m@1@0@ff@half"u8)];
        for (var cut = 0; cut < script.Length; cut += cut is < 200 or > 30_150 ? 1 : 997)
        {
            using var client = host.ConnectLm();
            await client.SendAsync(script.AsMemory(0, cut));
            client.Socket.LingerState = new LingerOption(true, 0);
        }
        await host.IsQuietAsync();
    }

    [Theory]
    [InlineData("*1\r\n$999999999999\r\n", "-ERR Protocol error: invalid bulk length\r\n")]
    [InlineData("*2147483647\r\n", "-ERR Protocol error: invalid multibulk length\r\n")]
    [InlineData("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870913\r\n", "-ERR Protocol error: invalid bulk length\r\n")]
    [InlineData("*3\r\n$6\r\nAPPEND\r\n$1\r\nk\r\n$20000000\r\nabcdef", "-ERR an argument of 20000000 bytes is too long here: a command has at most 262144 bytes besides the value of a SET\r\n")]
    [InlineData("*2\r\nPING\r\n\r\nGARBAGE", "-ERR Protocol error: expected '$', got 'P'\r\n")]
    [InlineData("PING\r\n*1\r\n$4\r\nPINGPING\r\nPING\r\n", "+PONG\r\n-ERR Protocol error: expected CR LF behind an argument\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\n\r\n*1\r\n$4\r\nPING\r\n", "-ERR unknown command 'POST', with args beginning with: '/' 'HTTP/1.1' \r\n")]
    [InlineData("\x16\x03\x01\x02\x00\x01\r\n", "-ERR unknown command '\\x16\\x03\\x01\\x02', with args beginning with: '\\x01' \r\n")]
    public async Task BrokenFraming_IsAnsweredAndTheConnectionCloses(string bytes, string answer)
    {
        await using var host = await FrontHost.StartAsync();
        using var client = host.ConnectResp();
        await client.SendAsync(bytes);
        await client.ExpectAsync(answer);
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("", await client.ReadToEndAsync());
        await host.IsQuietAsync();
    }

    /// <summary>The error arrives although the client is in the middle of a long value when it is sent.</summary>
    [Fact]
    public async Task ErrorOfANativeClient_WhileItStillSends_ArrivesWhole()
    {
        await using var host = await FrontHost.StartAsync(memoryBytes: 1 << 20);
        using var client = host.ConnectResp();
        var sending = client.SendAsync(Of("SET", "k", string.Concat(Enumerable.Repeat(Value, 16))) + Of("SET", "k", string.Concat(Enumerable.Repeat(Value, 16))));
        var answer = await client.ReadToEndAsync();
        Assert.StartsWith("-ERR the value has 16777216 bytes, more than the memory tier takes", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n", answer, StringComparison.Ordinal);
        await sending.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public async Task Connections_BeyondTheLimit_AreToldSo()
    {
        await using var host = await FrontHost.StartAsync(new RespFrontOptions { Port = 0, ConnectionsMax = 2 });
        using var first = host.ConnectResp();
        using var second = host.ConnectResp();
        await first.ExchangeAsync("PING\r\n", "+PONG\r\n");
        await second.ExchangeAsync("PING\r\n", "+PONG\r\n");
        using (var third = host.ConnectResp())
        {
            Assert.Equal("-ERR max number of clients reached\r\n", await third.ReadToEndAsync());
        }
        first.Dispose();
        await Eventually.HoldsAsync(() => host.Resp.ConnectionCount == 1);
        using var fourth = host.ConnectResp();
        await fourth.ExchangeAsync("PING\r\n", "+PONG\r\n");
    }

    [Fact]
    public async Task Stop_WhileAValueArrives_LetsItThroughAndEndsTheIdleAtOnce()
    {
        await using var host = await FrontHost.StartAsync();
        using var idle = host.ConnectResp();
        using var busy = host.ConnectResp();
        await idle.ExchangeAsync("PING\r\n", "+PONG\r\n");
        await busy.SendAsync($"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${Value.Length}\r\n{Value[..1000]}");
        await Eventually.HoldsAsync(() => host.Cache.Memory.Snapshot().HeldBytes > 0);

        var stopping = host.Resp.StopAsync(CancellationToken.None);
        Assert.Equal("", await idle.ReadToEndAsync());
        await busy.SendAsync(Value[1000..] + "\r\n");
        Assert.Equal("+OK\r\n", await busy.ReadToEndAsync());
        await stopping;
    }

    [Fact]
    public async Task Stop_WhenTheDeadlineHasPassed_CutsOff()
    {
        await using var host = await FrontHost.StartAsync();
        using var busy = host.ConnectResp();
        await busy.SendAsync("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\nabc");
        await Eventually.HoldsAsync(() => host.Cache.Memory.Snapshot().HeldBytes > 0);
        await host.Resp.StopAsync(new CancellationToken(canceled: true));
        await host.IsQuietAsync();
    }

    [Fact]
    public async Task StoreThatThrows_EndsThatConnectionAlone()
    {
        await using var host = await FrontHost.StartAsync(wrap: store => new FailingStore(store));
        using var good = host.ConnectResp();
        using var bad = host.ConnectResp();
        await good.ExchangeAsync("PING\r\n", "+PONG\r\n");
        await bad.SendAsync(Of("GET", "fail"));
        Assert.Equal("", (await bad.ReadToEndAsync()).Replace("(reset)", "", StringComparison.Ordinal));
        await good.ExchangeAsync(Of("GET", "other"), "$-1\r\n");
        await Eventually.HoldsAsync(() => host.Resp.ConnectionCount == 1);
        Assert.Contains("ferry_front_connections_ended_total{front=\"resp\",reason=\"Fault\"} 1.0", Ended(host), StringComparison.Ordinal);
    }

    /// <summary>Conversations with bytes changed, dropped and doubled, in pieces: the front goes on, and holds nothing afterwards.</summary>
    [Fact]
    public async Task AnyBytes_OnManyConnections_LeaveTheFrontsWhole()
    {
        const int Seed = 20_261;
        var random = new Random(Seed);
        await using var host = await FrontHost.StartAsync(memoryBytes: 4 << 20);
        byte[][] scripts =
        [
            Encoding.Latin1.GetBytes(Of("HELLO", "3") + Of("SET", "a", new string('x', 50_000), "NX", "GET") + Of("GET", "a") + Of("MGET", "a", "b") + Of("SCAN", "0", "MATCH", "*", "COUNT", "5") + Of("CLIENT", "HELP") + Of("INFO")),
            Encoding.Latin1.GetBytes("SET a 'b c'\r\nget a\r\nCONFIG GET *\r\nDEL a b c\r\nEXISTS a\r\nQUIT\r\n"),
            [.. LmWire.WriteRequest(LmForm.WithLocation, LmCommand.Put, 300, new LmShape(1, 3, 2, 1, 1, 1), "m@1@0@ff@half"u8), .. new byte[300], .. LmWire.WriteRequest(LmForm.WithLocation, LmCommand.Get, 0, LmShape.OfNothing, "m@1@0@ff@half"u8), .. LmWire.WriteRequest(LmForm.WithLocation, LmCommand.List, 0, LmShape.OfNothing, [])],
        ];
        for (var round = 0; round < 600; round++)
        {
            var bytes = Mutate([.. scripts[round % scripts.Length]], random);
            using var client = round % scripts.Length == 2 || round % 11 == 0 ? host.ConnectLm() : host.ConnectResp();
            try
            {
                for (var at = 0; at < bytes.Length;)
                {
                    var count = Math.Min(random.Next(1, 20_000), bytes.Length - at);
                    await client.SendAsync(bytes.AsMemory(at, count));
                    at += count;
                }
                client.Socket.Shutdown(SocketShutdown.Send);
                await client.ReadToEndAsync();
            }
            catch (SocketException)
            {
                // The front closed first.
            }
        }
        await host.IsQuietAsync();
        using var after = host.ConnectResp();
        await after.ExchangeAsync("PING\r\n", "+PONG\r\n");
        Assert.DoesNotContain("reason=\"Fault\"", Ended(host), StringComparison.Ordinal);
    }

    private static byte[] Mutate(List<byte> bytes, Random random)
    {
        for (var change = random.Next(0, 6); change > 0 && bytes.Count > 0; change--)
        {
            var at = random.Next(2) == 0 ? random.Next(bytes.Count) : random.Next(Math.Min(bytes.Count, 200)); // The framing is at the front.
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveAt(at);
                    break;
                case 2:
                    bytes.Insert(at, (byte)"0123456789$*\r\n-"[random.Next(15)]);
                    break;
                default:
                    bytes.RemoveRange(at, Math.Min(random.Next(30), bytes.Count - at));
                    break;
            }
        }
        return [.. bytes];
    }

    private sealed class FailingStore(IClientStore inner) : IClientStore
    {
        public long Count => inner.Count;

        public ValueTask<bool> ExistsAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken) => inner.ExistsAsync(key, cancellationToken);

        public ValueTask<ClientValue?> TryGetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken) =>
            key.Span.SequenceEqual("fail"u8) ? throw new InvalidOperationException("A defect.") : inner.TryGetAsync(key, cancellationToken);

        public ClientPutOutcome BeginPut(ReadOnlySpan<byte> key, int valueBytes, ReadOnlySpan<byte> note, out ClientWrite? write) => inner.BeginPut(key, valueBytes, note, out write);

        public ValueTask<bool> DeleteAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken) => inner.DeleteAsync(key, cancellationToken);

        public Task<long> ClearAsync(CancellationToken cancellationToken) => inner.ClearAsync(cancellationToken);

        public (IReadOnlyList<byte[]> Keys, ulong Cursor) Scan(ulong cursor, int keysMax) => inner.Scan(cursor, keysMax);
    }
}
