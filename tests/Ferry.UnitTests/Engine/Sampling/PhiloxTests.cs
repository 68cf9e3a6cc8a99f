using Ferry.Engine.Sampling;
using Xunit;

namespace Ferry.UnitTests.Engine.Sampling;

public sealed class PhiloxTests
{
    // Random123's known answers for philox4x32, 10 rounds.
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0ul, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(uint.MaxValue, uint.MaxValue, uint.MaxValue, uint.MaxValue, ulong.MaxValue, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0x299f31d0a4093822ul, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Block_KnownCounterAndKey_GivesThePublishedWords(
        uint a, uint b, uint c, uint d, ulong key, uint expectedA, uint expectedB, uint expectedC, uint expectedD) =>
        Assert.Equal((expectedA, expectedB, expectedC, expectedD), Philox.Block(key, a, b, c, d));

    [Fact]
    public void Uniform_ManyCounters_FillsTheIntervalEvenly()
    {
        var tenths = new int[10];
        for (var counter = 0UL; counter < 100_000; counter++) { tenths[(int)(Philox.Uniform(7, 0, counter) * 10)]++; }
        Assert.All(tenths, count => Assert.InRange(count, 9_600, 10_400));
        Assert.NotEqual(Philox.Uniform(7, 0, 0), Philox.Uniform(7, 1, 0));
        Assert.NotEqual(Philox.Uniform(7, 0, 0), Philox.Uniform(8, 0, 0));
    }
}
