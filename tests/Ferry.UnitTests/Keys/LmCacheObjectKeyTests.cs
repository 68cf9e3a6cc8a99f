using CsCheck;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Xunit;

namespace Ferry.UnitTests.Keys;

public sealed class LmCacheObjectKeyTests
{
    private const string Sha = LmCacheKeyTests.Sha;

    private static readonly Gen<LmCacheObjectKey> Key = Gen.Select(
        Gen.Char.Where(c => c != '@' && !char.IsControl(c) && !char.IsSurrogate(c)).Array[1, 40],
        Gen.UInt, Gen.UInt, Gen.Bool, Gen.OneOf(8, 16, 32).SelectMany(byteCount => Gen.Byte.Array[byteCount]),
        Gen.Char.AlphaNumeric.Array[0, 128],
        (model, rank, group, hasGroup, hash, salt) => new LmCacheObjectKey(
            new string(model), KvRank.FromPacked(rank), hasGroup ? group : null, new ChunkHash(hash), new string(salt)));

    [Fact]
    public void TryParse_PrintedKey_ReadsBackEveryPart() => Key.Sample(key =>
    {
        var read = LmCacheObjectKey.TryParse(key.ToString());
        return read is not null && read.Equals(key) && read.Model == key.Model && read.Rank == key.Rank && read.Group == key.Group
            && read.Hash == key.Hash && read.Salt == key.Salt && KvRank.FromPacked(read.Rank.Packed) == read.Rank;
    });

    [Fact]
    public void TryParse_AnyKey_IsNeverAnInProcessKeyToo() => Key.Sample(key => LmCacheKey.TryParse(key.ToString()) is null);

    [Theory]
    [InlineData("meta-llama/Llama-3.1-70b@04000400@0@" + Sha, 0u, "")]
    [InlineData("meta-llama/Llama-3.1-70b@04010401@1f@" + Sha + "@tenant-a", 0x1fu, "tenant-a")]
    [InlineData("m@04030403@" + Sha + "@alice", null, "alice")]
    [InlineData("m@10001000@0@" + Sha + "@half", 0u, "half")]
    [InlineData("m@01000100@c8a2ea19c46f299c", null, "")]
    public void TryParse_BothForms_AreToldApartAndPrintAsThemselves(string text, uint? group, string salt)
    {
        var key = LmCacheObjectKey.TryParse(text);

        Assert.Equal(group, key!.Group);
        Assert.Equal(salt, key.Salt);
        Assert.Equal(text, key.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("m@04000400")]
    [InlineData("m@4000400@0@" + Sha)]
    [InlineData("m@0400040G@0@" + Sha)]
    [InlineData("m@04000400@00@" + Sha)]
    [InlineData("m@04000400@123456789@" + Sha)]
    [InlineData("m@04000400@0@" + Sha + "@")]
    [InlineData("m@04000400@0@" + Sha + "@a/b")]
    [InlineData("m@04000400@0@" + Sha + "@a@b")]
    [InlineData("m@04000400@0")]
    [InlineData("@04000400@0@" + Sha)]
    public void TryParse_NotAKeyToTheLetter_IsNull(string text) => Assert.Null(LmCacheObjectKey.TryParse(text));

    [Fact]
    public void KvRank_FourRanksRankOne_PacksAsThePeerPrintsIt() => Assert.Equal(0x04010401u, new KvRank(4, 1).Packed);

    [Fact]
    public void New_SaltBeyondTheCap_IsAnErrorWithTheCap()
    {
        var error = Assert.Throws<ArgumentException>(
            () => new LmCacheObjectKey("m", new KvRank(1, 0), 0, ChunkHash.TryParse(Sha)!.Value, new string('s', 129)));

        Assert.Contains("128", error.Message, StringComparison.Ordinal);
    }
}
