using System.Numerics;

namespace Ferry.Transfer.Handover;

/// <summary>How much of a request fits a slot: so many layers of so many tokens.</summary>
internal readonly record struct WindowShape(int Layers, int Tokens)
{
    /// <summary>The largest shape that fits, or null if not even one layer of one block does.</summary>
    /// <param name="layerTokenBytes">Bytes of one token in one layer, of everything that one slot takes.</param>
    /// <param name="blockTokens">Windows are whole blocks of this.</param>
    /// <param name="otherBlockTokens">And whole blocks of this too where a slot has the room.</param>
    /// <param name="isBlockMajor">All layers of a block lie in one piece, so layers are kept together rather than blocks.</param>
    /// <param name="layers">Of the whole request.</param>
    /// <param name="tokens">From the first wanted block to the end.</param>
    public static WindowShape? Find(
        long layerTokenBytes, int blockTokens, int otherBlockTokens, bool isBlockMajor, int layers, int tokens, int slotBytes)
    {
        var both = blockTokens / (long)BigInteger.GreatestCommonDivisor(blockTokens, otherBlockTokens) * otherBlockTokens;
        var unit = both * layerTokenBytes <= slotBytes ? both : blockTokens;
        var unitBytes = unit * layerTokenBytes;
        if (unitBytes > slotBytes)
        {
            return null;
        }
        var tokensMax = (tokens + unit - 1) / unit * unit;
        if (isBlockMajor)
        {
            var together = Math.Min(layers, slotBytes / unitBytes);
            return new WindowShape((int)together, (int)Math.Min(tokensMax, slotBytes / (together * unitBytes) * unit));
        }
        var run = Math.Min(tokensMax, slotBytes / unitBytes * unit);
        return new WindowShape((int)Math.Min(layers, slotBytes / (run * layerTokenBytes)), (int)run);
    }

    /// <summary>Every window of a request, layers outermost. Tokens are cut at multiples of the shape's.</summary>
    public List<HandoverWindow> Cut(int layers, int firstToken, int endToken)
    {
        var windows = new List<HandoverWindow>();
        for (var layer = 0; layer < layers; layer += Layers)
        {
            for (var token = firstToken; token < endToken;)
            {
                var end = Math.Min(endToken, (token / Tokens + 1) * Tokens);
                windows.Add(new HandoverWindow(layer, Math.Min(Layers, layers - layer), token, end - token));
                token = end;
            }
        }
        return windows;
    }
}
