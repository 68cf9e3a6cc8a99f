using Ferry.Cache.Tiers;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Contracts;

namespace Ferry.UnitTests.Cache.Tiers;

public sealed class FaultyTierTests : KvTierContract
{
    protected override IKvTier Open() => new FaultyTier();

    protected override void Damage(IKvTier tier, int byteIndex) => ((FaultyTier)tier).Damage(byteIndex);
}
