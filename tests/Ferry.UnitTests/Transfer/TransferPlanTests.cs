using CsCheck;
using Ferry.Transfer;
using Ferry.Transfer.OneSided;
using Xunit;

namespace Ferry.UnitTests.Transfer;

public sealed class TransferPlanTests
{
    [Fact]
    public void Segments_OfAnyDescriptors_TileThemOnceInOrder() =>
        Gen.Select(Gen.Long[1, 40_000].Array[1, 60], Gen.Int[4096, 20_000], Gen.ULong[1, 3].Array[60]).Sample((lengths, segmentBytes, leases) =>
        {
            var regions = new RegionTable(1);
            var target = regions.Add(0x1000, 10_000_000); // never dereferenced here
            var offset = 0L;
            var descriptors = lengths.Select((bytes, i) =>
            {
                var descriptor = new TransferDescriptor(new RemoteRange(leases[i], 9, (uint)i, offset * 3, bytes), target, offset);
                offset += bytes;
                return descriptor;
            }).ToArray();

            var plan = TransferPlan.TryCreate(TransferDirection.Read, descriptors, new TransferLimits(), _ => segmentBytes, false, regions, out _)!;

            Assert.Equal(offset, plan.Bytes);
            var covered = 0L;
            foreach (var segment in plan.Segments)
            {
                Assert.InRange(segment.Bytes, 1, segmentBytes);
                var (pieceCount, bytes) = (0, 0);
                for (var pieces = plan.PiecesOf(segment); pieces.MoveNext();)
                {
                    var piece = pieces.Current;
                    var of = descriptors[piece.RegionId];
                    Assert.Equal(covered, piece.LocalOffset); // targets were laid out end to end
                    Assert.Equal(of.Remote.Offset + (covered - of.LocalOffset), piece.Offset);
                    Assert.Equal((of.Remote.LeaseId, of.Remote.Generation), (segment.LeaseId, segment.Generation));
                    Assert.True(piece.LocalOffset + piece.Bytes <= of.LocalOffset + of.Remote.Bytes);
                    covered += piece.Bytes;
                    bytes += piece.Bytes;
                    pieceCount++;
                }
                Assert.Equal((segment.PieceCount, segment.Bytes), (pieceCount, bytes));
            }
            Assert.Equal(offset, covered);
            plan.Release();
        }, iter: 2_000);

    [Fact]
    public async Task Release_AfterPlanning_LetsTheTargetBeDeregistered()
    {
        var regions = new RegionTable(1);
        var target = regions.Add(0x1000, 100);
        var plan = TransferPlan.TryCreate(
            TransferDirection.Write, new[] { new TransferDescriptor(new RemoteRange(1, 1, 1, 0, 50), target, 0) }, new TransferLimits(), _ => 4096, false, regions, out _)!;
        var deregistering = target.DisposeAsync().AsTask();
        Assert.False(deregistering.IsCompleted);
        plan.Release();
        await deregistering;
        Assert.Equal(0, regions.Count);
    }

    [Fact]
    public async Task InPlace_MoreThanAnOwnerHoldsInOneGo_IsRefusedAndHoldsNothing()
    {
        var regions = new RegionTable(1);
        var target = regions.Add(0x1000, 100);
        var reading = new InPlaceRead(1, _ => { }, null);
        Assert.Single(Plan(One(1, TransferLimits.SegmentBytesMax))!.Segments); // longer than the region that is written to
        Assert.Null(Plan(One(1, TransferLimits.SegmentBytesMax + 1L)));
        Assert.Null(Plan(One(1, 8), One(2, 8))); // two leases
        await target.DisposeAsync(); // nothing holds it

        TransferDescriptor One(ulong lease, long bytes) => new(new RemoteRange(lease, 1, 1, 0, bytes), target, 0);

        TransferPlan? Plan(params TransferDescriptor[] descriptors)
        {
            var plan = TransferPlan.TryCreate(TransferDirection.Read, descriptors, new TransferLimits(), _ => 4096, false, regions, out var refusal, reading);
            Assert.Equal(plan is null ? TransferError.TooManyBytes : TransferError.None, refusal.Error);
            plan?.Release();
            return plan;
        }
    }

    [Theory]
    [InlineData(false, false, "not reached by UCX")]
    [InlineData(true, true, "Switch Checksum off")]
    [InlineData(true, false, null)]
    public void AcceleratorMemory_MovesByUcxAloneAndWithoutChecksum(bool reachesAccelerators, bool checksum, string? expected)
    {
        var regions = new RegionTable(1);
        var target = regions.Add(0x1000, 100);
        target.MemoryType = "rocm";
        var descriptors = new[] { new TransferDescriptor(new RemoteRange(1, 1, 1, 0, 50), target, 0) };

        var plan = TransferPlan.TryCreate(
            TransferDirection.Read, descriptors, new TransferLimits { Checksum = checksum }, _ => 4096, reachesAccelerators, regions, out var refusal);

        plan?.Release();
        Assert.Equal(expected is null, plan is not null);
        Assert.Equal(expected is null ? TransferError.None : TransferError.AcceleratorMemory, refusal.Error);
        Assert.Contains(expected ?? "", refusal.Message ?? "", StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => target.Span(0, 1).Length); // and nobody else touches it by accident
    }
}
