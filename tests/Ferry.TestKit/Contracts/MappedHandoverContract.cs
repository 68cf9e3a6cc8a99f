using Ferry.Transfer.Handover;
using Xunit;

namespace Ferry.TestKit.Contracts;

/// <summary>What a medium that reads the owner's blocks where they lie promises besides.</summary>
public abstract class MappedHandoverContract : HandoverContract
{
    protected sealed override bool IsMapped => true;

    [Theory]
    [InlineData(8)]
    [InlineData(2)]
    public Task Pull_InPlace_EveryRankEqualsTheReference(int targetTp) => PullEveryRankAsync(targetTp, HandoverRoute.InPlace);

    [Fact]
    public Task Pull_InPlaceAndTheOwnerGoesMidway_EndsWithTheOwnerToBlameAndNothingInUse() => PullWhileTheOwnerGoesAsync(HandoverRoute.InPlace);
}
