using Ferry.Kv.Hashing;
using Xunit;

namespace Ferry.UnitTests.Hashing;

public sealed class ChunkHasherTests
{
    [Fact]
    public void Sha256Cbor_SeedZeroAndThousandRange_MatchesTheRecordedLmCacheHashes()
    {
        var hasher = ChunkHasher.Create("sha256_cbor", "0");
        var hashes = new List<ChunkHash>();

        var count = hasher.HashChunks([.. Enumerable.Range(1000, 20)], 8, includeUnfull: true, hashes);

        Assert.Equal("4e1195df020de59e0d65a33a4279f1183e7ae4e5d980e309f8b55adff2e61c3e", hasher.Root.ToString());
        Assert.Equal(3, count);
        Assert.Equal("3b47ebd4046fc04eb33f4b3570ab520ef28fa05cd632ed9bc061d71f1e50bdd7", hashes[0].ToString());
        Assert.Equal("53965cde07d3bc94521105408b1ce9ace869b4846912fa40997f1e83c40db561", hashes[1].ToString());
    }
}
