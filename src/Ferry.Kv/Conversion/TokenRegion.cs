namespace Ferry.Kv.Conversion;

/// <summary>A stretch of tokens whose addresses in source and target are both described by loops with fixed strides.</summary>
/// <param name="Loops">At most three, outermost first: whole larger blocks, smaller blocks in a larger one, tokens in a smaller one.</param>
internal sealed record TokenRegion(long SourceOffset, long TargetOffset, NestDimension[] Loops)
{
    /// <summary>Cuts tokens 0 to <paramref name="tokens"/> - 1 into regions: at most three if one block length divides the other.</summary>
    public static List<TokenRegion> Cut(AxisStrides source, AxisStrides target, int tokens)
    {
        source = source.Cut(target.BlockTokens != 0 ? target.BlockTokens : tokens);
        target = target.Cut(source.BlockTokens);
        var larger = Math.Max(source.BlockTokens, target.BlockTokens);
        var smaller = Math.Min(source.BlockTokens, target.BlockTokens);
        return larger % smaller == 0
            ? CutNested(source, target, tokens, larger, smaller)
            : CutByPeriod(source, target, tokens);
    }

    private static List<TokenRegion> CutNested(AxisStrides source, AxisStrides target, int tokens, int larger, int smaller)
    {
        var regions = new List<TokenRegion>(3);
        var perLarger = new NestDimension(tokens / larger, source.TokenOffset(larger), target.TokenOffset(larger));
        var perSmaller = new NestDimension(larger / smaller, source.TokenOffset(smaller), target.TokenOffset(smaller));
        var perToken = new NestDimension(smaller, source.Token, target.Token);
        if (perLarger.Count > 0) { Add(0, [perLarger, perSmaller, perToken]); }
        var rest = tokens % larger;
        if (rest / smaller > 0) { Add(tokens - rest, [perSmaller with { Count = rest / smaller }, perToken]); }
        if (rest % smaller > 0) { Add(tokens - rest % smaller, [perToken with { Count = rest % smaller }]); }
        return regions;

        void Add(long firstToken, NestDimension[] loops) =>
            regions.Add(new TokenRegion(source.TokenOffset(firstToken), target.TokenOffset(firstToken), loops));
    }

    /// <summary>Neither block length divides the other (48 and 128, say): the pattern of cuts repeats after their least common multiple.</summary>
    private static List<TokenRegion> CutByPeriod(AxisStrides source, AxisStrides target, int tokens)
    {
        var regions = new List<TokenRegion>();
        var period = (long)source.BlockTokens / (long)System.Numerics.BigInteger.GreatestCommonDivisor(source.BlockTokens, target.BlockTokens) * target.BlockTokens;
        var wholePeriods = tokens / period * period;
        if (wholePeriods > 0)
        {
            var perPeriod = new NestDimension(tokens / period, source.TokenOffset(period), target.TokenOffset(period));
            AddPieces(0, period, [perPeriod]);
        }
        AddPieces(wholePeriods, tokens, []);
        return regions;

        void AddPieces(long firstToken, long endToken, NestDimension[] outer)
        {
            for (var token = firstToken; token < endToken;)
            {
                var count = Math.Min(
                    endToken - token,
                    Math.Min(source.BlockTokens - token % source.BlockTokens, target.BlockTokens - token % target.BlockTokens));
                regions.Add(new TokenRegion(
                    source.TokenOffset(token), target.TokenOffset(token), [.. outer, new NestDimension(count, source.Token, target.Token)]));
                token += count;
            }
        }
    }
}
