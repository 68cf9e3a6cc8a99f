using CsCheck;
using Ferry.Transfer;
using Ferry.Transfer.Reads;
using Xunit;

namespace Ferry.UnitTests.Transfer;

public sealed class ReadPlanTests
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
                var descriptor = new ReadDescriptor(new RemoteRange(leases[i], 9, (uint)i, offset * 3, bytes), target, offset);
                offset += bytes;
                return descriptor;
            }).ToArray();

            var plan = ReadPlan.TryCreate(descriptors, new ReadLimits { SegmentBytes = segmentBytes }, regions, out _)!;

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
                    Assert.Equal(covered, piece.TargetOffset); // targets were laid out end to end
                    Assert.Equal(of.Source.Offset + (covered - of.TargetOffset), piece.Offset);
                    Assert.Equal((of.Source.LeaseId, of.Source.Generation), (segment.LeaseId, segment.Generation));
                    Assert.True(piece.TargetOffset + piece.Bytes <= of.TargetOffset + of.Source.Bytes);
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
        var plan = ReadPlan.TryCreate(new[] { new ReadDescriptor(new RemoteRange(1, 1, 1, 0, 50), target, 0) }, new ReadLimits(), regions, out _)!;
        var deregistering = target.DisposeAsync().AsTask();
        Assert.False(deregistering.IsCompleted);
        plan.Release();
        await deregistering;
        Assert.Equal(0, regions.Count);
    }
}
