using Ferry.Engine.Model;
using Xunit;

namespace Ferry.UnitTests.Engine.Model;

public sealed class RopeConfigTests
{
    [Fact]
    public void InverseFrequencies_Llama3_StretchesLongWavesAndLeavesShortOnesAlone()
    {
        // Llama 3.1: theta 500000, head dim 128, factor 8, low 1, high 4, original 8192.
        float[] plain = new RopeConfig(RopeKind.Default, 500_000).InverseFrequencies(128);
        float[] scaled = new RopeConfig(RopeKind.Llama3, 500_000, 8, 1, 4, 8192).InverseFrequencies(128);

        for (int i = 0; i < plain.Length; i++)
        {
            double wavelength = 2 * Math.PI / plain[i];
            if (wavelength < 2048)
            {
                Assert.Equal(plain[i], scaled[i]);
            }
            else if (wavelength > 8192)
            {
                Assert.Equal(plain[i] / 8, scaled[i], 1e-6f * plain[i]);
            }
            else
            {
                double smooth = ((8192 / wavelength) - 1) / 3;
                Assert.Equal((float)(plain[i] * (((1 - smooth) / 8) + smooth)), scaled[i], 1e-6f * plain[i]);
                Assert.InRange(scaled[i], plain[i] / 8, plain[i]);
            }
        }
        Assert.Equal(1f, scaled[0]);
        Assert.Contains(plain.Index(), pair => 2 * Math.PI / pair.Item is > 2048 and < 8192);
    }

    [Fact]
    public void InverseFrequencies_Linear_DividesAllOfThem()
    {
        float[] plain = new RopeConfig(RopeKind.Default, 10_000).InverseFrequencies(64);
        float[] scaled = new RopeConfig(RopeKind.Linear, 10_000, 4).InverseFrequencies(64);
        Assert.Equal(plain.Select(value => value / 4), scaled);
    }
}
