namespace Ferry.Engine.Sampling;

/// <summary>Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"): random numbers by counter, without state.</summary>
/// <remarks>The number for a token depends on seed, choice and position only, so batch, pre-emption and hand-over cannot change it.</remarks>
internal static class Philox
{
    private const uint MultiplierA = 0xD2511F53, MultiplierB = 0xCD9E8D57;
    private const uint WeylA = 0x9E3779B9, WeylB = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>Uniform in [0, 1) with 53 random bits.</summary>
    public static double Uniform(ulong seed, uint stream, ulong counter)
    {
        var (a, b, _, _) = Block(seed, (uint)counter, (uint)(counter >> 32), stream, 0);
        return ((((ulong)a << 32) | b) >> 11) * (1.0 / (1UL << 53));
    }

    internal static (uint A, uint B, uint C, uint D) Block(ulong key, uint a, uint b, uint c, uint d)
    {
        var (keyA, keyB) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < Rounds; round++)
        {
            var (productA, productB) = ((ulong)a * MultiplierA, (ulong)c * MultiplierB);
            (a, b, c, d) = ((uint)(productB >> 32) ^ b ^ keyA, (uint)productB, (uint)(productA >> 32) ^ d ^ keyB, (uint)productA);
            (keyA, keyB) = (keyA + WeylA, keyB + WeylB);
        }
        return (a, b, c, d);
    }
}
