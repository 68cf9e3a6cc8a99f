using CsCheck;
using Ferry.Kv.Hashing;
using Xunit;

namespace Ferry.UnitTests.Hashing;

public sealed class ChunkHasherTests
{
    public static TheoryData<string> Names { get; } = [.. ChunkHasher.Algorithms.Select(algorithm => algorithm.Name)];

    /// <summary>Values derived from the peers' rules for chunks of four tokens 1…8, seed 0.</summary>
    [Theory]
    [InlineData("sha256_cbor@2tuple", "491cd6d845b733ec38cc0ed024fa18e8d0941da598c2056d9bcb803e1da1db1b", "b44c87f97c1c871c3769620175a3e512c699cff399a128b3a513b05c1b20d937")]
    [InlineData("sha256_cbor@3tuple-null", "c9d58ba695280d69b243e1e0df813136ca9196b286fb1a021e0b2e028ef071cb", "24125b23e68883b5c2141db2959d48433fe6bde2f26bd914efad121d154ab2d6")]
    [InlineData("mp-sha256_cbor", "c9d58ba695280d69b243e1e0df813136ca9196b286fb1a021e0b2e028ef071cb", "24125b23e68883b5c2141db2959d48433fe6bde2f26bd914efad121d154ab2d6")]
    [InlineData("vllm-sha256_cbor", "c9d58ba695280d69b243e1e0df813136ca9196b286fb1a021e0b2e028ef071cb", "24125b23e68883b5c2141db2959d48433fe6bde2f26bd914efad121d154ab2d6")]
    [InlineData("blake3", "6309ed506b8721905753f5c73c070bb21c3aafbd9b474b1e231f41368b71123c", "98efc76eafb06cfe774c31ff151f300b61a614c27982a211bb8cdbd83a8c0e19")]
    [InlineData("builtin+vllm@2tuple", "ffe153d6dfd2589f", "0dc53b31f0ec6013")]
    public void HashChunks_OneToEight_GivesTheHashOfThatGeneration(string algorithm, string first, string second)
    {
        var hashes = new List<ChunkHash>();

        ChunkHasher.Create(algorithm, "0").HashChunks([1, 2, 3, 4, 5, 6, 7, 8], 4, includeUnfull: false, hashes);

        Assert.Equal([first, second], hashes.Select(hash => hash.ToString()));
    }

    [Fact]
    public void Blake3_ChunkOf256_SpansTwoBlake3ChunksAsThePeerDoes()
    {
        var hasher = ChunkHasher.Create("blake3", null);

        var hash = hasher.Next(hasher.Root, Enumerable.Range(0, 256).ToArray());

        Assert.Equal("084547b6c40ed5b05ba8cd0305db5bf74d5617673948d9ed193ab7d6cbc484d4", hash.ToString());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Next_AnyTokens_IsTheSameForIntAndLong(string algorithm)
    {
        var hasher = ChunkHasher.Create(algorithm);
        Gen.Int[0, int.MaxValue].Array[0, 700].Sample(tokens =>
            hasher.Next(hasher.Root, tokens) == hasher.Next(hasher.Root, Array.ConvertAll(tokens, token => (long)token)), iter: 30);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void HashChunks_OneTokenChanged_KeepsTheHashesBeforeAndChangesAllAfter(string algorithm)
    {
        var hasher = ChunkHasher.Create(algorithm);
        Gen.Select(Gen.Int[0, 130_000].Array[1, 200], Gen.Int[0, 199], Gen.Int[1, 20]).Sample((tokens, position, chunkTokens) =>
        {
            position %= tokens.Length;
            var before = new List<ChunkHash>();
            var after = new List<ChunkHash>();
            var count = hasher.HashChunks(tokens, chunkTokens, includeUnfull: true, before);
            tokens[position]++;
            hasher.HashChunks(tokens, chunkTokens, includeUnfull: true, after);
            var changed = position / chunkTokens;
            return count == before.Count && count == (tokens.Length + chunkTokens - 1) / chunkTokens
                && before.Take(changed).SequenceEqual(after.Take(changed))
                && before.Skip(changed).Zip(after.Skip(changed)).All(pair => pair.First != pair.Second);
        }, iter: 50);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Next_ChunkOf256_AllocatesNothing(string algorithm)
    {
        var hasher = ChunkHasher.Create(algorithm);
        var tokens = Enumerable.Range(65_400, 256).ToArray();
        var hash = hasher.Next(hasher.Root, tokens);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 10; i++)
        {
            hash = hasher.Next(hash, tokens);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void HashChunks_UnfullChunk_IsHashedOnlyWhenAskedFor()
    {
        var hasher = ChunkHasher.Create("sha256_cbor");
        var full = new List<ChunkHash>();
        var all = new List<ChunkHash>();

        Assert.Equal(2, hasher.HashChunks(new int[600], 256, includeUnfull: false, full));
        Assert.Equal(3, hasher.HashChunks(new int[600], 256, includeUnfull: true, all));
        Assert.Equal(0, hasher.HashChunks([], 256, includeUnfull: true, all));
        Assert.Equal(full, all.Take(2));
    }

    [Theory]
    [InlineData("sha256_cbor@3tuple-empty", "sha256_cbor")]
    [InlineData("sha256_cbor_64bit", "sha256_cbor")]
    [InlineData("mp-blake3", "blake3")]
    public void Create_OtherName_GivesTheHasherOfTheFirstName(string alias, string name) => Assert.Equal(name, ChunkHasher.Create(alias).Algorithm);

    [Theory]
    [InlineData("sha256-cbor", "sha256_cbor")]
    [InlineData("sha265_cbor", "sha256_cbor")]
    [InlineData("blake", "blake3")]
    [InlineData("vllm-xxhash-cbor", "vllm-xxhash_cbor")]
    [InlineData("sha256_cbor@2tupel", "sha256_cbor@2tuple")]
    public void Create_MistypedName_IsAnErrorWithTheNearestName(string typed, string nearest)
    {
        var error = Assert.Throws<ChunkHashException>(() => ChunkHasher.Create(typed));

        Assert.Contains($"Did you mean '{nearest}'?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_EndlessName_IsAnErrorThatStaysShort() =>
        Assert.InRange(Assert.Throws<ChunkHashException>(() => ChunkHasher.Create(new string('x', 1_000_000))).Message.Length, 1, 1000);

    [Theory]
    [MemberData(nameof(Names))]
    public void Create_SeedUnset_IsRefusedExactlyWhereTheSeedMatters(string name)
    {
        var usesSeed = ChunkHasher.Algorithms.Single(algorithm => algorithm.Name == name).UsesSeed;

        var error = Record.Exception(() => ChunkHasher.Create(name, null));

        Assert.Equal(usesSeed, error is ChunkHashException);
        Assert.Equal(usesSeed, ChunkHasher.Create(name, "1").Root != ChunkHasher.Create(name, "2").Root);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("4294967296")]
    [InlineData("0x10")]
    [InlineData(" 1")]
    [InlineData("1\0")]
    [InlineData("00000000000000000000000000000000000000000000000000000000000000001")]
    public void Create_SeedThatPythonRejects_IsAnErrorWithTheRange(string seed)
    {
        var error = Assert.Throws<ChunkHashException>(() => ChunkHasher.Create("sha256_cbor", seed));

        Assert.Contains("0..4294967295", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_SeedRandom_IsATextForCborAndRefusedForBuiltin()
    {
        Assert.NotEqual(ChunkHasher.Create("sha256_cbor").Root, ChunkHasher.Create("sha256_cbor", "random").Root);
        Assert.Contains("random", Assert.Throws<ChunkHashException>(() => ChunkHasher.Create("builtin+vllm", "random")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_SeedWithLeadingZeros_IsAnotherTextAndSoAnotherRoot() =>
        Assert.NotEqual(ChunkHasher.Create("sha256_cbor", "1").Root, ChunkHasher.Create("sha256_cbor", "01").Root);

    [Fact]
    public void Blake3_TokenBeyond32Bits_IsAnErrorWithItsPosition()
    {
        var hasher = ChunkHasher.Create("blake3");

        var error = Assert.Throws<ArgumentOutOfRangeException>(() => hasher.Next(hasher.Root, new[] { 1L, 1L << 32 }));

        Assert.Contains("4294967296 at position 1", error.Message, StringComparison.Ordinal);
    }
}
