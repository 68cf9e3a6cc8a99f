using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Xunit;

namespace Ferry.TestKit.Contracts;

/// <summary>What every medium promises of reads and leases.</summary>
public abstract class TransferReadContract : TransferContractFixture
{
    [Theory]
    [InlineData(1, 1, 1 << 20)]
    [InlineData(1, 4096, 4096)]
    [InlineData(3, 4097, 4096)]
    [InlineData(1, 5_000_011, 1 << 20)]
    [InlineData(40, 65_536, 100_000)]
    [InlineData(10_000, 24, 1 << 20)]
    public async Task Read_ScatteredRanges_BringsEveryByteToItsPlaceAndNoOther(int count, int bytes, int segmentBytes)
    {
        const int Gap = 8;
        var (owner, reader, peer) = await ConnectAsync(new TransferLimits { SegmentBytes = segmentBytes });
        var source = new TestArena(owner, count * (bytes + Gap)).Fill(1);
        var target = new TestArena(reader, count * (bytes + Gap));
        var lease = owner.Leases.TryGrant([source.All], Long)!;
        var order = Enumerable.Range(0, count).ToArray();
        new Random(2).Shuffle(order);
        // The i-th range of the source goes to a place that has nothing to do with its own.
        var descriptors = order.Select((from, to) => Descriptor(lease, source, from * (bytes + Gap), bytes, target, to * (bytes + Gap))).ToArray();

        var outcome = await peer.ReadAsync(descriptors, Token);

        Assert.Equal(TransferOutcome.Success(TransferPhase.Verify, (long)count * bytes), outcome);
        for (var to = 0; to < count; to++)
        {
            Assert.True(source.Bytes.Slice(order[to] * (bytes + Gap), bytes).SequenceEqual(target.Bytes.Slice(to * (bytes + Gap), bytes)));
            Assert.False(target.Bytes.Slice(to * (bytes + Gap) + bytes, Gap).ContainsAnyExcept((byte)0));
        }
    }

    [Fact]
    public async Task Read_SeveralLeases_BringsAll()
    {
        var (owner, reader, peer) = await ConnectAsync();
        var source = new TestArena(owner, 1000).Fill(3);
        var target = new TestArena(reader, 1000);
        var descriptors = Enumerable.Range(0, 10)
            .Select(i => Descriptor(owner.Leases.TryGrant([source.Range(i * 100, 100)], Long)!, source, i * 100, 100, target, i * 100)).ToArray();

        Assert.True((await peer.ReadAsync(descriptors, Token)).IsSuccess);
        Assert.True(source.Bytes.SequenceEqual(target.Bytes));
    }

    [Fact]
    public async Task Reads_ManyAtOnce_EachBringsItsOwnBytes()
    {
        const int Count = 64;
        const int Bytes = 50_000;
        var (owner, reader, peer) = await ConnectAsync(new TransferLimits { SegmentBytes = 16_384 });
        var source = new TestArena(owner, Count * Bytes).Fill(4);
        var target = new TestArena(reader, Count * Bytes);
        var lease = owner.Leases.TryGrant([source.All], Long)!;

        var outcomes = await Task.WhenAll(Enumerable.Range(0, Count).Select(i => Task.Run(() =>
            peer.ReadAsync(new[] { Descriptor(lease, source, (Count - 1 - i) * Bytes, Bytes, target, i * Bytes) }, Token))));

        Assert.All(outcomes, outcome => Assert.True(outcome.IsSuccess, outcome.ToString()));
        for (var i = 0; i < Count; i++)
        {
            Assert.True(source.Bytes.Slice((Count - 1 - i) * Bytes, Bytes).SequenceEqual(target.Bytes.Slice(i * Bytes, Bytes)));
        }
    }

    [Fact]
    public async Task Read_BadArguments_AreRefusedBeforeAnythingIsSent()
    {
        var (owner, reader, peer) = await ConnectAsync(new TransferLimits { DescriptorCountMax = 2, TransferBytesMax = 150 });
        var source = new TestArena(owner, 1000).Fill(5);
        var target = new TestArena(reader, 1000);
        var lease = owner.Leases.TryGrant([source.All], Long)!;
        var good = Descriptor(lease, source, 0, 100, target, 0);

        await ExpectLocalAsync(TransferError.OutOfRange);
        await ExpectLocalAsync(TransferError.OutOfRange, good with { Remote = good.Remote with { Bytes = 0 } });
        await ExpectLocalAsync(TransferError.OutOfRange, good with { Remote = good.Remote with { Bytes = -1 } });
        await ExpectLocalAsync(TransferError.OutOfRange, good with { Remote = good.Remote with { Offset = -1 } });
        await ExpectLocalAsync(TransferError.OutOfRange, good with { Remote = good.Remote with { Offset = long.MaxValue } });
        await ExpectLocalAsync(TransferError.OutOfRange, good with { LocalOffset = 901 });
        await ExpectLocalAsync(TransferError.OutOfRange, good with { LocalOffset = -1 });
        await ExpectLocalAsync(TransferError.RegionUnknown, good with { Local = source.Region });
        await ExpectLocalAsync(TransferError.TooManyDescriptors, good, good, good);
        await ExpectLocalAsync(TransferError.TooManyBytes, good, good);
        Assert.False(target.Bytes.ContainsAnyExcept((byte)0));
        Assert.Equal(0, reader.Counts.TransfersInFlight);

        async Task ExpectLocalAsync(TransferError error, params TransferDescriptor[] descriptors)
        {
            var outcome = await peer.ReadAsync(descriptors, Token);
            Assert.Equal((TransferPhase.Prepare, TransferSide.Local, error), (outcome.Phase, outcome.Side, outcome.Error));
        }
    }

    [Fact]
    public async Task Read_OutsideWhatTheLeaseCovers_IsNackedAndTheConnectionLives()
    {
        var (owner, reader, peer) = await ConnectAsync();
        var source = new TestArena(owner, 1000).Fill(6);
        var target = new TestArena(reader, 1000);
        var lease = owner.Leases.TryGrant([source.Range(100, 100), source.Range(200, 100), source.Range(500, 100)], Long)!;

        await ExpectNackAsync(TransferError.OutOfRange, Descriptor(lease, source, 99, 1, target, 0));
        await ExpectNackAsync(TransferError.OutOfRange, Descriptor(lease, source, 150, 100, target, 0)); // two records are not one range
        await ExpectNackAsync(TransferError.OutOfRange, Descriptor(lease, source, 550, 51, target, 0));
        await ExpectNackAsync(TransferError.RegionUnknown, Descriptor(lease, source, 100, 1, target, 0) with
        {
            Remote = new RemoteRange(lease.Id, lease.Generation, source.Region.Id + 77, 100, 1),
        });
        await ExpectNackAsync(TransferError.LeaseUnknown, Descriptor(lease, source, 100, 1, target, 0) with
        {
            Remote = new RemoteRange(lease.Id + 1, lease.Generation, source.Region.Id, 100, 1),
        });
        Assert.False(target.Bytes.ContainsAnyExcept((byte)0));
        Assert.True((await peer.ReadAsync(new[] { Descriptor(lease, source, 500, 100, target, 0) }, Token)).IsSuccess);

        async Task ExpectNackAsync(TransferError error, TransferDescriptor descriptor)
        {
            var outcome = await peer.ReadAsync(new[] { descriptor }, Token);
            Assert.Equal((TransferSide.Remote, error), (outcome.Side, outcome.Error));
        }
    }

    [Fact]
    public async Task Read_LeaseExpired_IsNackedAndExtendedInTime_IsNot()
    {
        var (owner, reader, peer) = await ConnectAsync();
        var source = new TestArena(owner, 100).Fill(7);
        var target = new TestArena(reader, 100);
        var ended = new List<LeaseEnd>();
        var expiring = owner.Leases.TryGrant([source.Range(0, 50)], TimeSpan.FromMilliseconds(200), null, (_, end) => Add(ended, end))!;
        var extended = owner.Leases.TryGrant([source.Range(50, 50)], TimeSpan.FromMilliseconds(200))!;
        Assert.InRange(owner.Leases.TryExtend(extended.Id, Long)!.Value, Long - TimeSpan.FromSeconds(10), Long);

        await PassAsync(TimeSpan.FromMilliseconds(300));

        var outcome = await peer.ReadAsync(new[] { Descriptor(expiring, source, 0, 50, target, 0) }, Token);
        Assert.Equal(TransferSide.Remote, outcome.Side);
        Assert.Contains(outcome.Error, new[] { TransferError.LeaseExpired, TransferError.LeaseUnknown }); // before or after the sweep
        Assert.False(target.Bytes.ContainsAnyExcept((byte)0));
        Assert.Null(owner.Leases.TryExtend(expiring.Id, Long));
        Assert.True((await peer.ReadAsync(new[] { Descriptor(extended, source, 50, 50, target, 0) }, Token)).IsSuccess);
        await PassAsync(TimeSpan.FromSeconds(1));
        await Eventually.HoldsAsync(() => ended.Count > 0); // The sweep is another thread's.
        Assert.Equal([LeaseEnd.Expired], ended);
    }

    [Fact]
    public async Task Read_LeaseReleasedOrRevoked_IsNacked()
    {
        var (owner, reader, peer) = await ConnectAsync();
        var source = new TestArena(owner, 100).Fill(8);
        var target = new TestArena(reader, 100);
        var ended = new List<LeaseEnd>();
        foreach (var end in (Func<ulong, bool>[])[owner.Leases.Release, owner.Leases.Revoke])
        {
            var lease = owner.Leases.TryGrant([source.All], Long, null, (_, reason) => Add(ended, reason))!;
            Assert.True(end(lease.Id));
            Assert.False(end(lease.Id));
            var outcome = await peer.ReadAsync(new[] { Descriptor(lease, source, 0, 50, target, 0) }, Token);
            Assert.Equal((TransferPhase.Lease, TransferSide.Remote, TransferError.LeaseUnknown), (outcome.Phase, outcome.Side, outcome.Error));
        }
        Assert.False(target.Bytes.ContainsAnyExcept((byte)0));
        Assert.Equal([LeaseEnd.Released, LeaseEnd.Revoked], ended);
    }

    [Theory]
    [InlineData(65_536)] // the lease ends between segments
    [InlineData(16 << 20)] // it ends inside the only one: just the trailer can tell
    public async Task Read_LeaseRevokedAndMemoryReusedMidway_NeverSucceedsWithOtherBytes(int segmentBytes)
    {
        const int Bytes = 8 << 20;
        const int PieceBytes = 16_384;
        var (owner, reader, peer) = await ConnectAsync(new TransferLimits { SegmentBytes = segmentBytes });
        // Neighbours change places, so that pieces do not join.
        var pieces = Enumerable.Range(0, Bytes / PieceBytes).Select(i => (i ^ 1) * PieceBytes).ToArray();
        var source = new TestArena(owner, Bytes);
        var target = new TestArena(reader, Bytes);
        var refused = 0;
        for (byte round = 1; round <= 12; round++)
        {
            source.Bytes.Fill(round);
            target.Bytes.Clear();
            var ended = new TaskCompletionSource();
            var lease = owner.Leases.TryGrant([source.All], Long, null, (_, _) => ended.SetResult())!;
            var reading = peer.ReadAsync(pieces.Select(at => Descriptor(lease, source, at, PieceBytes, target, at)).ToArray(), Token);
            await BytesOnTheWayAsync(owner, target, round * 20_000, reading);
            owner.Leases.Revoke(lease.Id);
            source.Bytes.Fill(0xEE); // at once, as an owner that does not wait for the callback would
            var outcome = await reading;
            refused += outcome.IsSuccess ? 0 : 1;
            Assert.True(outcome.IsSuccess || outcome.Error is TransferError.LeaseRevoked or TransferError.LeaseUnknown, outcome.ToString());
            Assert.True(!outcome.IsSuccess || !target.Bytes.ContainsAnyExcept(round), $"Round {round} succeeded with bytes of another owner.");
            await ended.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
        }
        Assert.True(refused > 0, "No revocation came midway: this run proves nothing.");
    }

    [Fact]
    public async Task Read_GenerationOfAnEarlierRun_IsNackedByItsSuccessor()
    {
        var (first, reader, peer) = await ConnectAsync();
        var lease = first.Leases.TryGrant([new TestArena(first, 100).All], Long)!;
        await first.DisposeAsync();
        var closed = await peer.Closed.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.Equal((TransferSide.Remote, TransferError.ConnectionLost), (closed.Side, closed.Error));

        var second = await StartAsync("owner", first.Endpoint);
        Assert.NotEqual(first.Identity.Generation, second.Identity.Generation);
        var source = new TestArena(second, 100).Fill(9);
        Assert.NotNull(second.Leases.TryGrant([source.All], Long));
        var target = new TestArena(reader, 100);
        var descriptor = new TransferDescriptor(new RemoteRange(lease.Id, lease.Generation, source.Region.Id, 0, 100), target.Region, 0);
        Assert.False((await peer.ReadAsync(new[] { descriptor }, Token)).IsSuccess);

        await using var again = (await reader.ConnectAsync(second.Endpoint, Token)).Peer!;
        var outcome = await again.ReadAsync(new[] { descriptor }, Token);

        Assert.Equal((TransferSide.Remote, TransferError.GenerationMismatch), (outcome.Side, outcome.Error));
        Assert.False(target.Bytes.ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task Read_OwnerClosesMidway_EndsWithoutSuccessAndThePeerIsClosed()
    {
        const int Bytes = 64 << 20;
        var (owner, reader, peer) = await ConnectAsync(new TransferLimits { SegmentBytes = 65_536 });
        var source = new TestArena(owner, Bytes);
        source.Bytes.Fill(1);
        var target = new TestArena(reader, Bytes);
        var lease = owner.Leases.TryGrant([source.All], Long)!;
        // The same again and again: on a busy machine the closing must not come after the end.
        var reading = peer.ReadAsync(Enumerable.Repeat(Descriptor(lease, source, 0, Bytes, target, 0), 64).ToArray(), Token);
        while (target.Bytes[1 << 20] == 0 && !reading.IsCompleted)
        {
            await Task.Yield();
        }

        await owner.DisposeAsync();

        var outcome = await reading.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.False(outcome.IsSuccess);
        Assert.Equal(TransferSide.Remote, outcome.Side);
        Assert.False((await peer.Closed.WaitAsync(TimeSpan.FromSeconds(30), Token)).IsSuccess);
        Assert.Equal(default, owner.Counts);
    }

    [Fact]
    public async Task Read_Cancelled_EndsAndItsMemoryIsQuiet()
    {
        const int Bytes = 64 << 20;
        var (owner, reader, peer) = await ConnectAsync(new TransferLimits { SegmentBytes = 65_536 });
        var source = new TestArena(owner, Bytes);
        source.Bytes.Fill(1);
        var target = new TestArena(reader, Bytes);
        var lease = owner.Leases.TryGrant([source.All], Long)!;
        using var cancelling = CancellationTokenSource.CreateLinkedTokenSource(Token);
        // The same again and again: on a busy machine the cancelling must not come after the end.
        var reading = peer.ReadAsync(Enumerable.Repeat(Descriptor(lease, source, 0, Bytes, target, 0), 64).ToArray(), cancelling.Token);
        while (target.Bytes[1 << 20] == 0 && !reading.IsCompleted)
        {
            await Task.Yield();
        }

        await cancelling.CancelAsync();

        var outcome = await reading.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.Equal((TransferSide.Local, TransferError.Cancelled), (outcome.Side, outcome.Error));
        target.Bytes.Clear();
        // The connection is still good, and what the cancelled read had asked for does not come late.
        var next = await peer.ReadAsync(new[] { Descriptor(lease, source, 0, 10, target, 0) }, Token);
        Assert.True(next.IsSuccess, next.ToString());
        Assert.False(target.Bytes[10..].ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task Deregister_WhilePeersRead_EndsThoseReadsWithoutSuccessAndWaitsForTheMemory()
    {
        const int Bytes = 64 << 20;
        var (owner, reader, peer) = await ConnectAsync(new TransferLimits { SegmentBytes = 65_536 });
        var source = new TestArena(owner, Bytes);
        source.Bytes.Fill(1);
        var target = new TestArena(reader, Bytes);
        var lease = owner.Leases.TryGrant([source.All], Long)!;
        var reading = peer.ReadAsync(new[] { Descriptor(lease, source, 0, Bytes, target, 0) }, Token);
        while (target.Bytes[1 << 20] == 0 && !reading.IsCompleted)
        {
            await Task.Yield();
        }

        await source.Region.DisposeAsync();
        source.Bytes.Fill(0xEE);

        var outcome = await reading.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.False(outcome.IsSuccess);
        Assert.False(target.Bytes.Contains((byte)0xEE));
    }

    private static void Add(List<LeaseEnd> ended, LeaseEnd end)
    {
        lock (ended)
        {
            ended.Add(end);
        }
    }
}
