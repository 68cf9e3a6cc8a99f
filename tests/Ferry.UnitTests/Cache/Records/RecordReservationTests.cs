using Ferry.Cache.Records;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.Kv.Text;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.Cache.Records;

public sealed class RecordReservationTests : StoreFixture
{
    private RecordReservation? Reserve(int number, out ReserveOutcome outcome, PutMode mode = PutMode.KeepFirst, KvLayout? layout = null) =>
        Store.TryReserve(TestRecords.Key(number), layout ?? Layout, mode, out outcome);

    private static KvRecordHeader Opaque(int number, int bytes) =>
        new(KvLayout.Opaque(bytes), TestRecords.Model, 0, TestRecords.Hash(number), "", bytes, 0) { ClientKey = new ByteText("k"u8) };

    private RecordLease PutOpaque(int number, int bytes, byte fill, PutMode mode)
    {
        using var room = Reserve(number, out var outcome, mode, KvLayout.Opaque(bytes));
        Assert.Equal(ReserveOutcome.Reserved, outcome);
        room!.Payload.Span.Fill(fill);
        return room.Commit(Opaque(number, bytes));
    }

    [Theory]
    [InlineData(new[] { 8192 })]
    [InlineData(new[] { 1, 8191 })]
    [InlineData(new[] { 240, 1, 0, 1000, 6951 })]
    public void Advance_InAnyPieces_GivesTheChecksumOfTheWhole(int[] pieces)
    {
        using var room = Reserve(1, out _)!;
        TestRecords.Payload(Layout, 1).CopyTo(room.Payload);
        foreach (var piece in pieces)
        {
            room.Advance(piece);
        }
        using var lease = room.Commit(TestRecords.Unsealed(1, Layout));

        Assert.True(KvRecord.TryRead(lease.Record.Span, out var header, out var error), error.ToString());
        Assert.Equal(header, lease.Header);
    }

    [Theory]
    [InlineData(new[] { 8192 })]
    [InlineData(new[] { 1, 8191 })]
    [InlineData(new[] { 0, 100, 0, 8092 })]
    public void Append_InAnyPieces_CopiesThemAndGivesTheChecksumOfTheWhole(int[] pieces)
    {
        var payload = TestRecords.Payload(Layout, 1);
        using var room = Reserve(1, out _)!;
        var at = 0;
        foreach (var piece in pieces)
        {
            room.Append(payload.AsSpan(at, piece));
            at += piece;
        }
        using var lease = room.Commit(TestRecords.Unsealed(1, Layout));

        Assert.Equal(payload, lease.Payload.ToArray());
        Assert.True(KvRecord.TryRead(lease.Record.Span, out var header, out var error), error.ToString());
        Assert.Equal(header, lease.Header);
    }

    [Fact]
    public void Append_MoreThanThePayloadHasLeft_ThrowsAndTakesNothing()
    {
        var payload = TestRecords.Payload(Layout, 1);
        using var room = Reserve(1, out _)!;
        Assert.Throws<ArgumentException>(() => room.Append(new byte[8193]));
        room.Append(payload.AsSpan(0, 1));
        Assert.Throws<ArgumentException>(() => room.Append(payload));
        Assert.Throws<InvalidOperationException>(() => room.Commit(TestRecords.Unsealed(1, Layout)));

        room.Append(payload.AsSpan(1));
        using var lease = room.Commit(TestRecords.Unsealed(1, Layout));
        Assert.True(KvRecord.TryRead(lease.Record.Span, out _, out var error), error.ToString());
    }

    [Fact]
    public void Commit_PayloadAdvancedInPart_ThrowsAndPublishesNothing()
    {
        using var room = Reserve(1, out _)!;
        room.Advance(100);

        var error = Assert.Throws<InvalidOperationException>(() => room.Commit(TestRecords.Unsealed(1, Layout)));
        Assert.Contains("8192 payload bytes only 100", error.Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => room.Advance(8093));
        Assert.False(Has(1));
    }

    [Fact]
    public void TryReserve_RecordThereOrOnItsWay_SaysWhich()
    {
        using (var first = Reserve(1, out _))
        {
            Assert.Null(Reserve(1, out var outcome));
            Assert.Equal(ReserveOutcome.Arriving, outcome);
            Reserve(1, out outcome, layout: TestRecords.Layout(heads: 2))!.Dispose();
            first!.Commit(TestRecords.Unsealed(1, Layout)).Dispose();
        }
        Assert.Null(Reserve(1, out var present));
        Assert.Equal(ReserveOutcome.Present, present);
    }

    [Fact]
    public void TryReserve_AfterTheFirstGaveUp_IsReserved()
    {
        Reserve(1, out _)!.Dispose();
        Reserve(1, out var outcome)!.Dispose();
        Assert.Equal(ReserveOutcome.Reserved, outcome);
    }

    [Fact]
    public void TryReserve_LargerThanTheMemory_IsTooLargeAndEvictsNothing()
    {
        Put(1);
        Assert.Null(Reserve(2, out var outcome, layout: KvLayout.Opaque(4 * RecordBytes)));
        Assert.Equal((ReserveOutcome.TooLarge, true), (outcome, Has(1)));
    }

    [Fact]
    public void Commit_OfAnotherKeyThanReserved_Throws()
    {
        using var room = Reserve(1, out _)!;
        Assert.Throws<ArgumentException>(() => room.Commit(TestRecords.Unsealed(2, Layout)));
    }

    [Fact]
    public void Replace_OpaqueValueOfAnotherLength_TakesItsPlaceAndLeavesReadersTheirs()
    {
        using var old = PutOpaque(1, 100, 1, PutMode.KeepFirst);
        using (PutOpaque(1, 300, 2, PutMode.Replace))
        {
            Assert.True(Store.TryLease(TestRecords.Key(1), ChunkQuery.Opaque, out var chunk));
            Assert.Equal((300, (byte)2), (chunk.Shards[0].Payload.Length, chunk.Shards[0].Payload.Span[0]));
            chunk.Dispose();
        }
        Assert.Equal((100, (byte)1, false), (old.Payload.Length, old.Payload.Span[0], old.IsCurrent));
        Assert.Equal((1, 1), (Store.Snapshot().Records, Store.Snapshot().ClientRecords));
    }

    [Fact]
    public void TryLease_OpaqueRecord_ServesTheOpaqueQueryAlone()
    {
        PutOpaque(1, 4096, 1, PutMode.KeepFirst).Dispose();
        Assert.True(IsHit(1, ChunkQuery.Opaque));
        Assert.False(IsHit(1, new ChunkQuery(0, 0, 0)));
        Assert.False(IsHit(1, TestRecords.Whole()));
        Put(2);
        Assert.False(IsHit(2, ChunkQuery.Opaque));
    }

    [Fact]
    public async Task ReserveAsync_EverythingLeased_IsServedWhenALeaseEnds()
    {
        var leases = Enumerable.Range(1, 4).Select(number => Store.Put(number, Layout)!).ToArray();
        var waiting = Store.ReserveAsync(TestRecords.Key(5), Layout, PutMode.KeepFirst, TimeSpan.FromMinutes(1), CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        leases[2].Dispose();

        var (room, outcome) = await waiting;
        Assert.Equal((ReserveOutcome.Reserved, false), (outcome, Has(3)));
        room!.Dispose();
        Array.ForEach(leases, lease => lease.Dispose());
    }

    [Fact]
    public async Task ReserveAsync_NothingEnds_IsFullAtItsDeadline()
    {
        var leases = Enumerable.Range(1, 4).Select(number => Store.Put(number, Layout)!).ToArray();
        var waiting = Store.ReserveAsync(TestRecords.Key(5), Layout, PutMode.KeepFirst, TimeSpan.FromSeconds(3), CancellationToken.None).AsTask();
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.False(waiting.IsCompleted);
        Time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal((null, ReserveOutcome.Full), await waiting);
        Array.ForEach(leases, lease => lease.Dispose());
    }

    [Fact]
    public async Task ReserveAsync_WhatWaitingCannotChange_IsAnsweredAtOnce()
    {
        Put(1);
        Assert.Equal((null, ReserveOutcome.Present), await Store.ReserveAsync(TestRecords.Key(1), Layout, PutMode.KeepFirst, TimeSpan.FromDays(1), CancellationToken.None));
        Assert.Equal((null, ReserveOutcome.TooLarge), await Store.ReserveAsync(
            TestRecords.Key(2), KvLayout.Opaque(1 << 30), PutMode.KeepFirst, TimeSpan.FromDays(1), CancellationToken.None));
    }

    [Fact]
    public async Task ReserveAsync_Cancelled_EndsAndLeavesNothing()
    {
        var leases = Enumerable.Range(1, 4).Select(number => Store.Put(number, Layout)!).ToArray();
        using var stop = new CancellationTokenSource();
        var waiting = Store.ReserveAsync(TestRecords.Key(5), Layout, PutMode.KeepFirst, TimeSpan.FromDays(1), stop.Token).AsTask();
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Array.ForEach(leases, lease => lease.Dispose());
    }
}
