using Ferry.Kv.Hashing;
using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.SideChannel;
using Xunit;

namespace Ferry.TestKit.Contracts;

/// <summary>What every medium's agent promises: transfers, the side channel, and an end that leaves nothing.</summary>
public abstract class TransferAgentContract : TransferWriteContract
{
    [Fact]
    public async Task SideChannel_LocateExtendRelease_ReachTheOwnerWithEveryField()
    {
        var handler = new ScriptedHandler();
        var (owner, reader, peer) = await ConnectAsync(handler: handler);
        var source = new TestArena(owner, 1000).Fill(10);
        var target = new TestArena(reader, 1000);
        LocateRequest? asked = null;
        PeerMetadata? asker = null;
        handler.OnLocate = (from, request) =>
        {
            (asker, asked) = (from, request);
            var lease = owner.Leases.TryGrant([source.Range(0, 100), source.Range(300, 200)], Long, from.Identity)!;
            return LocateReply.Granted(lease, Long,
                [new LocatedRecord(0, 0, source.Region.Id, 0, 100), new LocatedRecord(1, 3, source.Region.Id, 300, 200)]);
        };
        var request = new LocateRequest("cmpl-1-0-abcdef01", "tenant-ä", (UInt128)ulong.MaxValue + 5,
            [new ChunkHash([1, 2, 3, 4, 5, 6, 7, 8]), new ChunkHash(Enumerable.Repeat((byte)9, 32).ToArray())]);

        var located = await peer.LocateAsync(request, Token);

        Assert.True(located.Outcome.IsSuccess, located.Outcome.ToString());
        Assert.Equal(reader.Identity, asker!.Identity);
        Assert.Equal((request.RequestId, request.Salt, request.Model), (asked!.RequestId, asked.Salt, asked.Model));
        Assert.Equal(request.Chunks, asked.Chunks);
        var reply = located.Reply!;
        Assert.InRange(reply.LeaseLeft, Long - TimeSpan.FromSeconds(1), Long);
        Assert.Equal(owner.Identity.Generation, reply.Generation);
        var descriptors = reply.Records.Select(record => new TransferDescriptor(reply.RangeOf(record), target.Region, record.Offset)).ToArray();
        Assert.True((await peer.ReadAsync(descriptors, Token)).IsSuccess);
        Assert.True(source.Bytes.Slice(300, 200).SequenceEqual(target.Bytes.Slice(300, 200)));

        handler.OnExtend = (_, extend) => [.. extend.Holds.Select(hold => owner.Leases.TryExtend(hold.LeaseId, extend.Duration) ?? TimeSpan.Zero)];
        var extended = await peer.ExtendAsync(
            new ExtendRequest([new LeaseHold("cmpl-1", reply.LeaseId), new LeaseHold("", 42)], TimeSpan.FromSeconds(20)), Token);
        Assert.Equal(2, extended.Left.Count);
        Assert.True(extended.Left[0] > TimeSpan.FromMinutes(4));
        Assert.Equal(TimeSpan.Zero, extended.Left[1]);

        var release = new ReleaseRequest("cmpl-1", reply.LeaseId, Completed: true);
        Assert.True((await peer.ReleaseAsync(release, Token)).IsSuccess);
        Assert.Equal([release], handler.Released);
    }

    [Fact]
    public async Task SideChannel_OwnerRefusesOrThrows_IsAnOutcomeAndThePeerLives()
    {
        var handler = new ScriptedHandler();
        var (_, _, peer) = await ConnectAsync(handler: handler);
        var request = new LocateRequest("r", "", 1, [new ChunkHash([1])]);

        handler.OnLocate = (_, _) => LocateReply.Refused(TransferError.Overloaded, "Come back later.");
        var refused = (await peer.LocateAsync(request, Token)).Outcome;
        Assert.Equal(TransferOutcome.Failed(TransferPhase.SideChannel, TransferSide.Remote, TransferError.Overloaded, "Come back later."), refused);

        handler.OnLocate = (_, _) => throw new InvalidOperationException("the owner's secret reason");
        var failed = (await peer.LocateAsync(request, Token)).Outcome;
        Assert.Equal(TransferError.InternalError, failed.Error);
        Assert.DoesNotContain("secret", failed.Message, StringComparison.Ordinal);

        handler.OnLocate = (_, _) => new LocateReply(1, 1, Long, Enumerable.Repeat(new LocatedRecord(0, 0, 1, 0, 1), 40_000).ToArray(), TransferError.None, "");
        Assert.Equal(TransferError.TooManyDescriptors, (await peer.LocateAsync(request, Token)).Outcome.Error);

        handler.OnLocate = (_, _) => new LocateReply(1, 1, Long, [new LocatedRecord(7, 0, 1, 0, 1)], TransferError.None, "");
        Assert.Equal(TransferError.ProtocolViolation, (await peer.LocateAsync(request, Token)).Outcome.Error);

        var tooBig = new LocateRequest("r", "", 1, Enumerable.Repeat(new ChunkHash(new byte[32]), 40_000).ToArray());
        Assert.Equal((TransferPhase.Prepare, TransferSide.Local), (await peer.LocateAsync(tooBig, Token)).Outcome is var big ? (big.Phase, big.Side) : default);
        Assert.False(peer.Closed.IsCompleted);
    }

    [Fact]
    public async Task Handshake_BothSides_TellTheirIdentityAndKv()
    {
        var kv = new KvDescription((UInt128)7 << 100, 256, "sha256_cbor", ["rank 0", "rank 1"]);
        var owner = await StartAsync("owner", kv: kv);
        var reader = await StartAsync("reader");
        await using var peer = (await reader.ConnectAsync(owner.Endpoint, Token)).Peer!;

        Assert.Equal(owner.Identity, peer.Remote.Identity);
        Assert.Equal((kv.Model, kv.ChunkTokens, kv.KeyAlgorithm), (peer.Remote.Kv.Model, peer.Remote.Kv.ChunkTokens, peer.Remote.Kv.KeyAlgorithm));
        Assert.Equal(kv.RankLayouts, peer.Remote.Kv.RankLayouts);
        Assert.NotEmpty(peer.Remote.Media);
    }

    [Fact]
    public async Task Connect_ToItselfOrToNobody_SaysWhich()
    {
        var agent = await StartAsync("lonely");
        Assert.Equal(TransferError.ConnectedToSelf, (await agent.ConnectAsync(agent.Endpoint, Token)).Outcome.Error);
        var gone = await StartAsync("gone");
        await gone.DisposeAsync();
        var outcome = (await agent.ConnectAsync(gone.Endpoint, Token)).Outcome;
        Assert.Equal((TransferPhase.Connect, TransferSide.Remote, TransferError.Unreachable), (outcome.Phase, outcome.Side, outcome.Error));
    }

    [Fact]
    public async Task Lease_HeldByAReader_EndsWithItsLastConnection()
    {
        var (owner, reader, peer) = await ConnectAsync();
        var second = (await reader.ConnectAsync(owner.Endpoint, Token)).Peer!;
        var source = new TestArena(owner, 100);
        var ended = new TaskCompletionSource<LeaseEnd>();
        Assert.NotNull(owner.Leases.TryGrant([source.All], Long, reader.Identity, (_, end) => ended.SetResult(end)));

        await peer.DisposeAsync();
        Assert.False(ended.Task.IsCompleted);
        await second.DisposeAsync();

        Assert.Equal(LeaseEnd.HolderGone, await ended.Task.WaitAsync(TimeSpan.FromSeconds(30), Token));
    }

    [Fact]
    public async Task Dispose_WithReadsUnderWay_EndsThemAndLeavesNothing()
    {
        const int Bytes = 32 << 20;
        var (owner, reader, peer) = await ConnectAsync(new TransferLimits { SegmentBytes = 65_536 });
        var source = new TestArena(owner, Bytes);
        var target = new TestArena(reader, Bytes);
        var lease = owner.Leases.TryGrant([source.All], Long)!;
        var reads = Enumerable.Range(0, 8).Select(_ => peer.ReadAsync(new[] { Descriptor(lease, source, 0, Bytes, target, 0) }, Token)).ToArray();

        await reader.DisposeAsync();

        var outcomes = await Task.WhenAll(reads).WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.All(outcomes, outcome => Assert.True(outcome.IsSuccess || outcome.Error == TransferError.Closed, outcome.ToString()));
        Assert.Contains(outcomes, outcome => !outcome.IsSuccess);
        Assert.Equal(default, reader.Counts);
        Assert.Equal(TransferError.Closed, (await peer.ReadAsync(new[] { Descriptor(lease, source, 0, 1, target, 0) }, Token)).Error);
        Assert.Equal(TransferError.Closed, (await reader.ConnectAsync(owner.Endpoint, Token)).Outcome.Error);
    }

    [Fact]
    public async Task Dispose_TheOwnerIsBeingAsked_WaitsForItsAnswer()
    {
        using var asked = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var handler = new ScriptedHandler
        {
            OnNotified = (_, _) =>
            {
                asked.Set();
                return goOn.Wait(TimeSpan.FromSeconds(30));
            },
        };
        var (owner, _, peer) = await ConnectAsync(handler: handler);
        var asking = Task.Run(() => peer.NotifyAsync(new byte[] { 1 }, Token), Token);
        Assert.True(asked.Wait(TimeSpan.FromSeconds(30), Token));

        var disposing = Task.Run(async () => await owner.DisposeAsync(), Token);

        Assert.NotSame(disposing, await Task.WhenAny(disposing, Task.Delay(300, Token))); // Disposing takes a millisecond when nothing is under way.
        goOn.Set();
        await disposing.WaitAsync(TimeSpan.FromSeconds(30), Token);
        await asking;
    }
}
