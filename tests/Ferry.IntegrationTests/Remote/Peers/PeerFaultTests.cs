using System.Net;
using System.Net.Sockets;
using System.Text;
using Ferry.Cache;
using Ferry.Cache.Remote.Peers;
using Ferry.Cache.Remote.Resp;
using Ferry.Cache.Tiers;
using Ferry.TestKit;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Lab;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Remote.Peers;

/// <summary>A peer that dies, stands still, damages or lies costs a bounded wait and is a miss.</summary>
public sealed class PeerFaultTests : IAsyncLifetime
{
    private static readonly PeerTierOptions Quick = new()
    {
        Host = "127.0.0.1",
        Port = 1,
        AnswerTimeout = TimeSpan.FromSeconds(1),
        StallTimeout = TimeSpan.FromSeconds(1),
    };

    private PeerOwner _owner = null!;

    public async ValueTask InitializeAsync()
    {
        _owner = await PeerOwner.StartAsync();
        _owner.Cache.Memory.Put(1, TestRecords.Layout())!.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _owner.IsQuietAsync();
        await _owner.DisposeAsync();
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("hang")]
    public async Task Line_ThatEndsOrStandsStillMidRecord_IsAMissWithinTheTimeoutAndTheNextReadIsWhole(string fault)
    {
        await using var link = new FaultyLink(_owner.Port);
        link.FaultOf = line => line > 0 ? null : fault == "cut" ? new LineFault { CutAtByte = 2500 } : new LineFault { HangAtByte = 2500 };
        await using var cache = Asking(PeerOwner.TierAt(link.Port, Quick));
        Assert.Null(await cache.TryGetAsync(TestRecords.Key(1), TestRecords.Whole(), CancellationToken.None));
        Assert.Equal(1, cache.SnapshotTiers()[0].Failures);
        Assert.Equal(0, cache.Memory.Snapshot().Records);
        await Eventually.TrueAsync(() => IsServedAsync(cache), "the next line is whole");
    }

    [Fact]
    public async Task Byte_FlippedOnTheWay_IsAMissCountedAsDamagedAndTheOwnersCopyStays()
    {
        await using var link = new FaultyLink(_owner.Port) { FaultOf = line => line == 0 ? new LineFault { FlipAtByte = 3000 } : null };
        await using var cache = Asking(PeerOwner.TierAt(link.Port));
        Assert.False(await IsServedAsync(cache));
        Assert.Equal((1L, 0), (cache.SnapshotTiers()[0].Counts.Damaged, cache.Memory.Snapshot().Records));
        Assert.True(_owner.Cache.Memory.Contains(TestRecords.Key(1)));
        Assert.True(await IsServedAsync(cache));
    }

    /// <summary>What a process that is no exchange, or an evil one, may say.</summary>
    [Theory]
    [InlineData("", "closed")]
    [InlineData("+OK\r\n", "no exchange does")]
    [InlineData("-ERR unknown command 'FERRY.PEER'\r\n", "unknown command")]
    [InlineData("*2\r\n:2\r\n", "another version")]
    [InlineData("*2\r\n:1\r\n$2\r\nid\r\n*9\r\n", "another number of chunks")]
    [InlineData("*2\r\n:1\r\n$2\r\nid\r\n*1\r\n$999999999\r\n", "where at most")]
    [InlineData("*2\r\n:1\r\n$2\r\nid\r\n*1\r\n$-1\r\n", "where at most")]
    [InlineData("*2\r\n:1\r\n$2\r\nid\r\n*1\r\n$4\r\n../x\r\n", "names records as no exchange does")]
    [InlineData("*2\r\n:1\r\n$999999999\r\n", "where at most")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", "no exchange does")]
    public async Task Answer_OfWhatIsNoExchange_IsAFailureThatSaysWhatCame(string answer, string said)
    {
        await using var evil = new Scripted(answer);
        await using var tier = PeerOwner.TierAt(evil.Port);
        var error = await Assert.ThrowsAsync<PeerException>(() => tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("$99\r\n")]
    [InlineData("$2147483647\r\n")]
    [InlineData("$-1\r\n")]
    [InlineData("$9216\r\ntoo short")]
    public async Task Record_OfAnotherLengthThanWasSaid_IsAMiss(string record)
    {
        var name = $"{Ferry.Cache.Remote.RecordPath.OfShard(TestRecords.Layout())} {TestRecords.Record(1, TestRecords.Layout()).Record.Length}";
        await using var evil = new Scripted($"*2\r\n:1\r\n$2\r\nid\r\n*1\r\n${name.Length}\r\n{name}\r\n{record}");
        await using var cache = Asking(PeerOwner.TierAt(evil.Port));
        Assert.False(await IsServedAsync(cache));
        Assert.Equal(0, cache.Memory.Snapshot().Records);
    }

    [Fact]
    public async Task Record_OfAnotherChunk_IsAMiss()
    {
        var layout = TestRecords.Layout();
        var other = TestRecords.Record(2, layout).Record;
        var name = $"{Ferry.Cache.Remote.RecordPath.OfShard(layout)} {other.Length}";
        await using var evil = new Scripted($"*2\r\n:1\r\n$2\r\nid\r\n*1\r\n${name.Length}\r\n{name}\r\n${other.Length}\r\n", [.. other, (byte)'\r', (byte)'\n']);
        await using var tier = PeerOwner.TierAt(evil.Port);
        var found = Assert.Single(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
        Assert.Equal(TierReadOutcome.Damaged, (await tier.ReadAsync(found, new byte[found.RecordBytes], CancellationToken.None)).Outcome);
        Assert.Equal(1, tier.Counts.Damaged);
    }

    [Fact]
    public async Task Peer_ThatTakesConnectionsAndSaysNothing_IsSwitchedOffAndThenCostsNothing()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var cache = Asking(PeerOwner.TierAt(((IPEndPoint)silent.LocalEndpoint).Port, Quick));
        for (var question = 0; question < new TierGuardOptions().FailuresToOpen; question++)
        {
            Assert.False(await IsServedAsync(cache));
        }
        Assert.True(cache.SnapshotTiers()[0].IsReadingOff);
        Assert.False(await IsServedAsync(cache));
        Assert.Equal(new TierGuardOptions().FailuresToOpen, cache.SnapshotTiers()[0].Failures); // The last question was not put.
    }

    [Fact]
    public async Task Peer_ThatRestarted_IsAskedOverANewConnectionWithoutAFailure()
    {
        var first = await PeerOwner.StartAsync();
        await using var tier = first.Tier();
        Assert.Empty(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
        await first.DisposeAsync();
        await using var second = await PeerOwner.StartAsync(options: new RespFrontOptions { Port = first.Port });
        second.Cache.Memory.Put(1, TestRecords.Layout())!.Dispose();
        Assert.Single(await tier.FindAsync(TestRecords.Key(1), CancellationToken.None)); // A failure would throw here: nothing guards it.
    }

    private static RecordCache Asking(PeerTier tier) => new(TestRecords.Store(8 << 20), [tier], new RecordCacheOptions(), TimeProvider.System, NullLoggerFactory.Instance);

    private static async Task<bool> IsServedAsync(RecordCache cache)
    {
        using var hit = await cache.TryGetAsync(TestRecords.Key(1), TestRecords.Whole(), CancellationToken.None);
        Assert.True(hit is null || hit.Chunk.Shards[0].Payload.Span.SequenceEqual(TestRecords.Payload(TestRecords.Layout(), 1)));
        return hit is not null;
    }

    /// <summary>Says the same to everyone who connects, whatever is asked, and then closes.</summary>
    private sealed class Scripted : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _running;

        public Scripted(string answer, byte[]? rest = null)
        {
            _listener.Start();
            _running = AnswerAsync([.. Encoding.ASCII.GetBytes(answer), .. rest ?? []]);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _running;
        }

        private async Task AnswerAsync(byte[] answer)
        {
            while (await TryAcceptAsync() is { } client)
            {
                using var _ = client;
                try
                {
                    var question = new byte[4096];
                    await client.ReceiveAsync(question);
                    await client.SendAsync(answer);
                    client.Shutdown(SocketShutdown.Send);
                    while (await client.ReceiveAsync(question) > 0)
                    {
                        // Until the asker is done: unread bytes would reset the connection before its answer is read.
                    }
                }
                catch (SocketException)
                {
                    // The asker closed first.
                }
            }
        }

        private async Task<Socket?> TryAcceptAsync()
        {
            try
            {
                return await _listener.AcceptSocketAsync();
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return null; // Stopped.
            }
        }
    }
}
