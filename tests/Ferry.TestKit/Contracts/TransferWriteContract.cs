using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Xunit;

namespace Ferry.TestKit.Contracts;

/// <summary>What every medium promises of writes into prepared buffers.</summary>
public abstract class TransferWriteContract : TransferReadContract
{
    [Theory]
    [InlineData(1, 1, 1 << 20)]
    [InlineData(3, 4097, 4096)]
    [InlineData(1, 5_000_011, 1 << 20)]
    [InlineData(40, 65_536, 100_000)]
    [InlineData(10_000, 24, 1 << 20)]
    public async Task Write_ScatteredRanges_BringsEveryByteToItsPlaceAndNoOther(int count, int bytes, int segmentBytes)
    {
        const int Gap = 8;
        var (owner, writer, peer) = await ConnectAsync(new TransferLimits { SegmentBytes = segmentBytes });
        var target = new TestArena(owner, count * (bytes + Gap));
        var source = new TestArena(writer, count * (bytes + Gap)).Fill(1);
        var lease = WriteLease(owner, target.All);
        var order = Enumerable.Range(0, count).ToArray();
        new Random(2).Shuffle(order);
        var descriptors = order.Select((from, to) => Descriptor(lease, target, to * (bytes + Gap), bytes, source, from * (bytes + Gap))).ToArray();

        var outcome = await peer.WriteAsync(descriptors, Token);

        Assert.Equal(TransferOutcome.Success(TransferPhase.Verify, (long)count * bytes), outcome);
        for (var to = 0; to < count; to++)
        {
            Assert.True(source.Bytes.Slice(order[to] * (bytes + Gap), bytes).SequenceEqual(target.Bytes.Slice(to * (bytes + Gap), bytes)));
            Assert.False(target.Bytes.Slice(to * (bytes + Gap) + bytes, Gap).ContainsAnyExcept((byte)0));
        }
    }

    [Fact]
    public async Task Write_UnderALeaseForReading_AndTheOtherWayRound_IsRefused()
    {
        var (owner, asker, peer) = await ConnectAsync();
        var far = new TestArena(owner, 1000).Fill(1);
        var near = new TestArena(asker, 1000);
        var reading = owner.Leases.TryGrant([far.Range(0, 500)], Long)!;
        var writing = WriteLease(owner, far.Range(500, 500));
        var both = owner.Leases.TryGrant([far.All], Long, rights: LeaseRights.Read | LeaseRights.Write)!;
        var before = far.Bytes.ToArray();

        var write = await peer.WriteAsync(new[] { Descriptor(reading, far, 0, 100, near, 0) }, Token);
        Assert.Equal((TransferPhase.Lease, TransferSide.Remote, TransferError.NotPermitted), (write.Phase, write.Side, write.Error));
        var read = await peer.ReadAsync(new[] { Descriptor(writing, far, 500, 100, near, 0) }, Token);
        Assert.Equal((TransferSide.Remote, TransferError.NotPermitted), (read.Side, read.Error));
        Assert.Equal(before, far.Bytes.ToArray());
        Assert.True((await peer.ReadAsync(new[] { Descriptor(both, far, 500, 100, near, 0) }, Token)).IsSuccess);
        Assert.True((await peer.WriteAsync(new[] { Descriptor(both, far, 0, 100, near, 0) }, Token)).IsSuccess);
        Assert.Equal(before.AsSpan(500, 100).ToArray(), far.Bytes[..100].ToArray());
    }

    [Fact]
    public async Task Write_WhatNoLeaseCovers_ChangesNothingAndTheConnectionIsGoodAfterwards()
    {
        var (owner, writer, peer) = await ConnectAsync();
        var far = new TestArena(owner, 1 << 20);
        var near = new TestArena(writer, 1 << 20).Fill(6);
        var lease = WriteLease(owner, far.Range(100, 300_000));

        await ExpectAsync(TransferError.OutOfRange, Descriptor(lease, far, 99, 300_000, near, 0));
        await ExpectAsync(TransferError.OutOfRange, Descriptor(lease, far, 101, 300_000, near, 0));
        await ExpectAsync(TransferError.LeaseUnknown, Descriptor(lease, far, 100, 300_000, near, 0) with
        {
            Remote = new RemoteRange(lease.Id + 1, lease.Generation, far.Region.Id, 100, 300_000),
        });
        await ExpectAsync(TransferError.GenerationMismatch, Descriptor(lease, far, 100, 300_000, near, 0) with
        {
            Remote = new RemoteRange(lease.Id, lease.Generation + 1, far.Region.Id, 100, 300_000),
        });
        Assert.False(far.Bytes.ContainsAnyExcept((byte)0));
        Assert.True((await peer.WriteAsync(new[] { Descriptor(lease, far, 100, 300_000, near, 7) }, Token)).IsSuccess);
        Assert.True(near.Bytes.Slice(7, 300_000).SequenceEqual(far.Bytes.Slice(100, 300_000)));
        Assert.False(far.Bytes[300_100..].ContainsAnyExcept((byte)0));

        async Task ExpectAsync(TransferError error, TransferDescriptor descriptor)
        {
            var outcome = await peer.WriteAsync(new[] { descriptor }, Token);
            Assert.Equal((TransferSide.Remote, error), (outcome.Side, outcome.Error));
        }
    }

    [Fact]
    public async Task Write_LeaseRevokedMidway_IsNoSuccessAndNothingIsWrittenOnceTheMemoryIsFree()
    {
        const int Bytes = 8 << 20;
        var (owner, writer, peer) = await ConnectAsync(new TransferLimits { SegmentBytes = 65_536 });
        var far = new TestArena(owner, Bytes);
        var near = new TestArena(writer, Bytes);
        var refused = 0;
        for (byte round = 1; round <= 12; round++)
        {
            far.Bytes.Clear();
            near.Bytes.Fill(round);
            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var lease = owner.Leases.TryGrant([far.All], Long, null, (_, _) => ended.SetResult(), LeaseRights.Write)!;
            var writing = peer.WriteAsync(new[] { Descriptor(lease, far, 0, Bytes, near, 0) }, Token);
            await BytesOnTheWayAsync(owner, far, round * 20_000, writing);
            owner.Leases.Revoke(lease.Id);
            await ended.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
            far.Bytes.Fill(0xEE); // the memory is its owner's again
            var outcome = await writing;
            refused += outcome.IsSuccess ? 0 : 1;
            Assert.True(outcome.IsSuccess || outcome.Error is TransferError.LeaseRevoked or TransferError.LeaseUnknown, outcome.ToString());
            Assert.False(far.Bytes.ContainsAnyExcept((byte)0xEE), $"Round {round}: written after the memory was free.");
        }
        Assert.True(refused > 0, "No revocation came midway: this run proves nothing.");
    }

    [Fact]
    public async Task Write_Cancelled_EndsAndTheConnectionIsStillGood()
    {
        const int Bytes = 64 << 20;
        var (owner, writer, peer) = await ConnectAsync(new TransferLimits { SegmentBytes = 65_536 });
        var far = new TestArena(owner, Bytes);
        var near = new TestArena(writer, Bytes);
        near.Bytes.Fill(1);
        var lease = WriteLease(owner, far.All);
        using var cancelling = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var writing = peer.WriteAsync(new[] { Descriptor(lease, far, 0, Bytes, near, 0) }, cancelling.Token);
        await BytesOnTheWayAsync(owner, far, 1 << 20, writing);

        await cancelling.CancelAsync();

        var outcome = await writing.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.Equal((TransferPhase.Write, TransferSide.Local, TransferError.Cancelled), (outcome.Phase, outcome.Side, outcome.Error));
        far.Bytes.Clear();
        Assert.True((await peer.WriteAsync(new[] { Descriptor(lease, far, 0, 10, near, 0) }, Token)).IsSuccess);
        Assert.False(far.Bytes[10..].ContainsAnyExcept((byte)0));
    }

    [Fact]
    public async Task Deregister_WhilePeersWrite_EndsThoseWritesWithoutSuccessAndWaitsForTheMemory()
    {
        const int Bytes = 64 << 20;
        var (owner, writer, peer) = await ConnectAsync(new TransferLimits { SegmentBytes = 65_536 });
        var far = new TestArena(owner, Bytes);
        var near = new TestArena(writer, Bytes);
        near.Bytes.Fill(1);
        var lease = WriteLease(owner, far.All);
        var writing = peer.WriteAsync(new[] { Descriptor(lease, far, 0, Bytes, near, 0) }, Token);
        await BytesOnTheWayAsync(owner, far, 1 << 20, writing);

        await far.Region.DisposeAsync();
        far.Bytes.Fill(0xEE);

        var outcome = await writing.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.False(outcome.IsSuccess);
        Assert.False(far.Bytes.ContainsAnyExcept((byte)0xEE));
    }

    [Fact]
    public async Task ReadsAndWrites_ManyAtOnceBothWays_EachBringsItsOwnBytes()
    {
        const int Count = 32;
        const int Bytes = 200_000;
        var (owner, asker, peer) = await ConnectAsync(new TransferLimits { SegmentBytes = 65_536, Checksum = true });
        var far = new TestArena(owner, 2 * Count * Bytes).Fill(4);
        var near = new TestArena(asker, 2 * Count * Bytes).Fill(5);
        var expectedFar = near.Bytes[(Count * Bytes)..].ToArray();
        var reading = owner.Leases.TryGrant([far.Range(0, Count * Bytes)], Long)!;
        var writing = WriteLease(owner, far.Range(Count * Bytes, Count * Bytes));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 2 * Count).Select(i => Task.Run(() => i < Count
            ? peer.ReadAsync(new[] { Descriptor(reading, far, i * Bytes, Bytes, near, i * Bytes) }, Token)
            : peer.WriteAsync(new[] { Descriptor(writing, far, i * Bytes, Bytes, near, i * Bytes) }, Token))));

        Assert.All(outcomes, outcome => Assert.True(outcome.IsSuccess, outcome.ToString()));
        Assert.True(far.Bytes[..(Count * Bytes)].SequenceEqual(near.Bytes[..(Count * Bytes)]));
        Assert.True(far.Bytes[(Count * Bytes)..].SequenceEqual(expectedFar));
    }

    [Fact]
    public async Task ReadAndWrite_WithAChecksumOfAcceleratorMemory_AreRefusedAndTheConnectionIsGoodAfterwards()
    {
        var (owner, asker, peer) = await ConnectAsync(new TransferLimits { Checksum = true });
        var far = new TestArena(owner, 1000).Fill(1);
        var plain = new TestArena(owner, 1000).Fill(2);
        var near = new TestArena(asker, 1000);
        far.Region.MemoryType = "rocm";
        var reading = owner.Leases.TryGrant([far.All], Long)!;
        var writing = WriteLease(owner, far.All);

        var read = await peer.ReadAsync(new[] { Descriptor(reading, far, 0, 1000, near, 0) }, Token);
        var write = await peer.WriteAsync(new[] { Descriptor(writing, far, 0, 1000, near, 0) }, Token);

        Assert.Equal((TransferPhase.Read, TransferSide.Remote, TransferError.AcceleratorMemory), (read.Phase, read.Side, read.Error));
        Assert.Equal((TransferPhase.Write, TransferSide.Remote, TransferError.AcceleratorMemory), (write.Phase, write.Side, write.Error));
        Assert.False(near.Bytes.ContainsAnyExcept((byte)0));
        Assert.True((await peer.ReadAsync(new[] { Descriptor(owner.Leases.TryGrant([plain.All], Long)!, plain, 0, 1000, near, 0) }, Token)).IsSuccess);
        Assert.True(near.Bytes.SequenceEqual(plain.Bytes));
    }

    protected static Lease WriteLease(ITransferAgent owner, LeaseRange range) => owner.Leases.TryGrant([range], Long, rights: LeaseRights.Write)!;
}
