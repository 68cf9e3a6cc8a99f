using CsCheck;
using Ferry.Transfer.Handover;
using Xunit;

namespace Ferry.UnitTests.Transfer.Handover;

public sealed class WindowShapeTests
{
    [Fact]
    public void Cut_AnyRequest_CoversEveryLayerOfEveryTokenOnceAndFitsTheSlot() =>
        Gen.Select(Gen.Int[1, 5000], Gen.OneOf(1, 16, 48, 128), Gen.OneOf(1, 16, 48, 128), Gen.Bool, Gen.Select(Gen.Int[1, 20], Gen.Int[1, 900], Gen.Int[0, 5]), Gen.Int[4096, 1 << 20])
            .Sample((layerTokenBytes, block, other, blockMajor, extent, slotBytes) =>
            {
                var (layers, tokens, prefixBlocks) = extent;
                var firstToken = Math.Min(prefixBlocks * other, (tokens - 1) / other * other);
                if (WindowShape.Find(layerTokenBytes, block, other, blockMajor, layers, tokens - firstToken / block * block, slotBytes) is not { } shape)
                {
                    Assert.True((long)layerTokenBytes * block > slotBytes);
                    return;
                }
                Assert.Equal(0, shape.Tokens % block);
                Assert.True((long)shape.Layers * shape.Tokens * layerTokenBytes <= slotBytes);
                var seen = new int[layers, tokens];
                foreach (var window in shape.Cut(layers, firstToken, tokens))
                {
                    Assert.InRange(window.Layers, 1, shape.Layers);
                    Assert.InRange(window.EndToken - window.FirstToken / block * block, 1, shape.Tokens);
                    for (var layer = 0; layer < window.Layers; layer++)
                    {
                        for (var token = 0; token < window.Tokens; token++) { seen[window.FirstLayer + layer, window.FirstToken + token]++; }
                    }
                }
                for (var layer = 0; layer < layers; layer++)
                {
                    for (var token = 0; token < tokens; token++) { Assert.Equal(token < firstToken ? 0 : 1, seen[layer, token]); }
                }
            }, iter: 500);

    [Fact]
    public void Find_BlockMajor_KeepsTheLayersOfABlockTogether()
    {
        Assert.Equal(new WindowShape(16, 64), WindowShape.Find(1024, 16, 16, isBlockMajor: true, 16, 4096, 1 << 20));
        Assert.Equal(new WindowShape(1, 1024), WindowShape.Find(1024, 16, 16, isBlockMajor: false, 16, 4096, 1 << 20));
    }
}
