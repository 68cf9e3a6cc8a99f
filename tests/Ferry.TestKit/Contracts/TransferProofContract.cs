using Ferry.Kv.Hashing;
using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.SideChannel;
using Xunit;

namespace Ferry.TestKit.Contracts;

/// <summary>What every medium must stand: many small transfers, one of 2 GiB, notifications in order, leases that end at every phase.</summary>
public abstract class TransferProofContract : TransferAgentContract
{
    /// <summary>Where 2 GiB twice and their copy take too long or too much memory, less.</summary>
    protected virtual long LargeBytes => 2L << 30;

    [Fact]
    public async Task Transfers_TenThousandSmallOnes_AllArriveOnceAndNothingIsLeft()
    {
        const int Count = 10_000;
        const int Bytes = 512;
        var (owner, asker, peer) = await ConnectAsync();
        var far = new TestArena(owner, Count * Bytes).Fill(1);
        var near = new TestArena(asker, Count * Bytes);
        var lease = owner.Leases.TryGrant([far.All], Long, rights: LeaseRights.Read | LeaseRights.Write)!;
        var next = -1;

        // Every second one is written, so that both arenas must be equal in the end.
        new Random(2).NextBytes(near.Bytes);
        for (var i = 1; i < Count; i += 2)
        {
            far.Bytes.Slice(i * Bytes, Bytes).Clear();
        }
        var workers = Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var i && i < Count)
            {
                TransferDescriptor[] one = [Descriptor(lease, far, i * Bytes, Bytes, near, i * Bytes)];
                var outcome = i % 2 == 0 ? await peer.ReadAsync(one, Token) : await peer.WriteAsync(one, Token);
                Assert.True(outcome.IsSuccess, outcome.ToString());
            }
        }));
        await Task.WhenAll(workers);

        Assert.True(far.Bytes.SequenceEqual(near.Bytes));
        Assert.Equal(0, asker.Counts.TransfersInFlight);
    }

    [Fact]
    public async Task Read_OfTwoGibibytes_ArrivesWhole()
    {
        var bytes = LargeBytes;
        var (owner, reader, peer) = await ConnectAsync();
        using var source = new LargeArena(owner, bytes);
        using var target = new LargeArena(reader, bytes);
        source.Number();
        var lease = owner.Leases.TryGrant([new LeaseRange(source.Region.Id, 0, bytes)], Long)!;

        var outcome = await peer.ReadAsync(
            new[] { new TransferDescriptor(new RemoteRange(lease.Id, lease.Generation, source.Region.Id, 0, bytes), target.Region, 0) }, Token);

        Assert.Equal(TransferOutcome.Success(TransferPhase.Verify, bytes), outcome);
        Assert.Equal(-1, target.FirstWrong());
        await target.Region.DisposeAsync();
        await source.Region.DisposeAsync();
    }

    [Fact]
    public async Task Notify_AfterAWrite_FindsItsBytesInPlaceAndComesOnce()
    {
        var handler = new ScriptedHandler();
        var (owner, writer, peer) = await ConnectAsync(handler: handler);
        var far = new TestArena(owner, 100_000);
        var near = new TestArena(writer, 100_000);
        var lease = WriteLease(owner, far.All);
        var seen = new List<byte>();
        handler.OnNotified = (from, message) =>
        {
            Assert.Equal(writer.Identity, from.Identity);
            seen.Add(far.Bytes[^1]);
            return message.Span.SequenceEqual("written"u8);
        };
        for (byte round = 1; round <= 20; round++)
        {
            near.Bytes.Fill(round);
            Assert.True((await peer.WriteAsync(new[] { Descriptor(lease, far, 0, 100_000, near, 0) }, Token)).IsSuccess);
            Assert.True((await peer.NotifyAsync("written"u8.ToArray(), Token)).IsSuccess);
        }
        Assert.Equal(Enumerable.Range(1, 20).Select(i => (byte)i), seen);

        var unwanted = await peer.NotifyAsync("something else"u8.ToArray(), Token);
        Assert.Equal((TransferPhase.SideChannel, TransferSide.Remote, TransferError.Refused), (unwanted.Phase, unwanted.Side, unwanted.Error));
        var tooLong = await peer.NotifyAsync(new byte[Notification.BytesMax + 1], Token);
        Assert.Equal((TransferPhase.Prepare, TransferSide.Local, TransferError.TooManyBytes), (tooLong.Phase, tooLong.Side, tooLong.Error));
        Assert.False(peer.Closed.IsCompleted);
    }

    [Fact]
    public async Task Prepare_OwnerWithRoom_GivesPlacesToWriteToAndHearsOfTheEnd()
    {
        var handler = new ScriptedHandler();
        var (owner, writer, peer) = await ConnectAsync(handler: handler);
        var far = new TestArena(owner, 1000);
        var near = new TestArena(writer, 1000).Fill(3);
        PrepareRequest? asked = null;
        handler.OnPrepare = (from, request) =>
        {
            asked = request;
            var lease = owner.Leases.TryGrant([far.Range(600, 200)], Long, from.Identity, rights: LeaseRights.Write)!;
            return PrepareReply.Granted(lease, Long, [new LocatedRecord(1, 2, far.Region.Id, 600, 200)]); // the first it has already
        };
        var request = new PrepareRequest("cmpl-1", "tenant", 77,
            [new PreparedPiece(new ChunkHash([1]), 0, 100), new PreparedPiece(new ChunkHash([2, 3]), 2, 200)]);

        var prepared = await peer.PrepareAsync(request, Token);

        Assert.True(prepared.Outcome.IsSuccess, prepared.Outcome.ToString());
        Assert.Equal((request.RequestId, request.Salt, request.Model), (asked!.RequestId, asked.Salt, asked.Model));
        Assert.Equal(request.Pieces, asked.Pieces);
        var place = Assert.Single(prepared.Reply!.Places);
        Assert.True((await peer.WriteAsync(new[] { new TransferDescriptor(prepared.Reply.RangeOf(place), near.Region, 0) }, Token)).IsSuccess);
        Assert.True(near.Bytes[..200].SequenceEqual(far.Bytes.Slice(600, 200)));
        Assert.True((await peer.ReleaseAsync(new ReleaseRequest("cmpl-1", prepared.Reply.LeaseId, Completed: true), Token)).IsSuccess);
        Assert.Single(handler.Released);

        handler.OnPrepare = (_, _) => new PrepareReply(1, 1, Long, [new LocatedRecord(0, 0, 1, 0, 99)], TransferError.None, ""); // not the bytes asked for
        Assert.Equal(TransferError.ProtocolViolation, (await peer.PrepareAsync(request, Token)).Outcome.Error);
        handler.OnPrepare = (_, _) => PrepareReply.Refused(TransferError.Overloaded, "No room.");
        Assert.Equal(TransferError.Overloaded, (await peer.PrepareAsync(request, Token)).Outcome.Error);
    }

    [Theory]
    [InlineData(TransferDirection.Read)]
    [InlineData(TransferDirection.Write)]
    public async Task Lease_ThatEndsAtAnyPhase_NeverLetsATransferSucceedUnderIt(TransferDirection direction)
    {
        const int Bytes = 4 << 20;
        var (owner, asker, peer) = await ConnectAsync(new TransferLimits { SegmentBytes = 65_536 });
        var far = new TestArena(owner, Bytes);
        var near = new TestArena(asker, Bytes);
        var failures = 0;
        for (var turns = 0; turns < 60; turns++)
        {
            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var lease = owner.Leases.TryGrant([far.All], Long, null, (_, _) => ended.SetResult(), LeaseRights.Read | LeaseRights.Write)!;
            TransferDescriptor[] whole = [Descriptor(lease, far, 0, Bytes, near, 0)];
            var moving = direction == TransferDirection.Read ? peer.ReadAsync(whole, Token) : peer.WriteAsync(whole, Token);
            for (var turn = 0; turn < turns * turns / 8 && !moving.IsCompleted; turn++)
            {
                await Task.Yield();
            }
            var wasDone = moving.IsCompleted;
            owner.Leases.Revoke(lease.Id);
            var outcome = await moving.WaitAsync(TimeSpan.FromSeconds(30), Token);
            failures += outcome.IsSuccess ? 0 : 1;
            Assert.True(!wasDone || outcome.IsSuccess, outcome.ToString());
            await ended.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
        }
        Assert.True(failures > 0, "No lease ended before its transfer: this run proves nothing.");
        Assert.False(peer.Closed.IsCompleted);
        Assert.Equal(0, owner.Leases.Count);
    }

    [Fact]
    public async Task Counts_OfWhatIsOpen_TellRegionsAndTheirBytes()
    {
        var (owner, _, peer) = await ConnectAsync();
        var one = new TestArena(owner, 1000);
        _ = new TestArena(owner, 500);
        Assert.Equal((2, 1500L), (owner.Counts.Regions, owner.Counts.RegisteredBytes));
        await one.Region.DisposeAsync();
        await one.Region.DisposeAsync();
        Assert.Equal((1, 500L), (owner.Counts.Regions, owner.Counts.RegisteredBytes));
        Assert.NotEmpty(peer.Medium.Name);
        Assert.NotEmpty(peer.Medium.Reason);
    }
}
