using Ferry.Kv.Hashing;
using Ferry.Kv.Records;
using Ferry.Serving.Exchange;
using Ferry.TestKit.Exchange;
using Xunit;

namespace Ferry.UnitTests.Serving.Exchange;

public sealed class PromptChainTests
{
    private static readonly ChunkHasher Hasher = ChunkHasher.Create(ChunkHasher.DefaultAlgorithm);

    [Fact]
    public void KeyOf_ChunksInAnyOrder_AreTheHashersChain()
    {
        var prompt = ExchangeNode.Prompt(300);
        var expected = new List<ChunkHash>();
        Hasher.HashChunks(prompt, 64, includeUnfull: true, expected);
        foreach (var order in (int[][])[[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [3, 0, 4, 1, 2]])
        {
            var chain = new PromptChain(Hasher, 64, 5, "");
            Assert.All(order, index => Assert.Equal(expected[index], chain.KeyOf(prompt, index * 64, Math.Min(64, 300 - (index * 64))).Hash));
            Assert.Equal(expected[..4], chain.FullChunks.Select(key => key.Hash));
        }
    }

    [Fact]
    public void RecordSalt_TooLongOrIllFormed_BecomesADigestThatTellsThemApart()
    {
        string[] salts = [new('a', 129), new('a', 130), "\ud800", "\ud801", new('ä', 65)];
        var records = salts.Select(PromptChain.RecordSalt).ToArray();

        Assert.All(records, salt => Assert.Matches("^sha256:[0-9a-f]{64}$", salt));
        Assert.Equal(salts.Length, records.Distinct().Count());
        Assert.All((string[])["", "tenant", new('a', KvRecord.MaxSaltBytes), "\U0001F600", "\uFFFD"], salt => Assert.Equal(salt, PromptChain.RecordSalt(salt)));
    }
}
