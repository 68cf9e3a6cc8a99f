using System.Buffers;
using Ferry.Router;
using Ferry.Router.Choosing;
using Ferry.Router.Prefixes;
using Ferry.Router.Prefixes.Events;
using Ferry.TestKit.Router;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Router.Prefixes;

public sealed class KvEventReaderTests
{
    private const int Slot = 3;
    private static readonly int[] Tokens = [.. Enumerable.Range(100, 64)];
    private readonly PrefixKnowledge _knowledge;
    private readonly KvEventSink _sink;
    private readonly KvEventReader _reader;
    private readonly EngineKeyTable _keys = new(64 << 10);
    private int _blockTokens;

    public KvEventReaderTests()
    {
        _knowledge = new PrefixKnowledge(new RouterOptions { IndexBytes = 1 << 20, EventsPort = 5557 }, new RouterTime(new FakeTimeProvider()));
        _sink = new KvEventSink(_knowledge, _keys, (_, tokens) => _blockTokens = tokens);
        _reader = new KvEventReader(_sink);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public void TryApply_BlocksStored_AreFoundByARequestWithTheseTokens(bool batchIsMap, bool eventIsMap)
    {
        Assert.Null(_reader.TryApply(Slot, KvEventBytes.Batch(batchIsMap, KvEventBytes.Stored([11, 12, 13, 14], null, Tokens, 16, isMap: eventIsMap))));
        Assert.Equal(16, _blockTokens);
        Assert.Equal(new PrefixHit(4, 0, 0), Hit("m"));
    }

    [Fact]
    public void TryApply_BlocksBehindAKnownParent_ContinueItsChain()
    {
        Apply(KvEventBytes.Stored([11, 12], null, Tokens[..32], 16));
        Apply(KvEventBytes.Stored([13, 14], 12, Tokens[32..], 16));
        Assert.Equal(4, Hit("m").Blocks);
    }

    [Fact]
    public void TryApply_BlocksBehindAnUnknownParent_AreLeftOut()
    {
        Apply(KvEventBytes.Stored([13, 14], 12, Tokens[32..], 16));
        Assert.Equal(2, _sink.Unplaced);
        Assert.Equal(0, _knowledge.Index.Count());
    }

    [Fact]
    public void TryApply_OffloadedToHostAndRemovedFromDevice_IsAHostHit()
    {
        Apply(KvEventBytes.Stored([11, 12, 13, 14], null, Tokens, 16));
        Apply(KvEventBytes.Stored([11, 12, 13, 14], null, Tokens, 16, medium: "CPU"));
        Apply(KvEventBytes.Removed([13, 14], "GPU"));
        Assert.Equal(new PrefixHit(2, 2, 0), Hit("m"));
        Apply(KvEventBytes.Removed([13, 14], "CPU"));
        Assert.Equal(new PrefixHit(2, 0, 0), Hit("m"));
    }

    [Fact]
    public void TryApply_AllBlocksCleared_ForgetsTheNode()
    {
        Apply(KvEventBytes.Stored([11, 12], null, Tokens[..32], 16));
        Apply(KvEventBytes.Cleared());
        Assert.Equal(0, Hit("m").Blocks);
        Apply(KvEventBytes.Stored([13], 12, Tokens[32..48], 16));
        Assert.Equal(0, Hit("m").Blocks);
    }

    [Fact]
    public void TryApply_ASaltedPrompt_IsFoundOnlyWithItsSalt()
    {
        Apply(KvEventBytes.Stored([11, 12, 13, 14], null, Tokens, 16, extras: [["tenant-a"], null, null, null]));
        Assert.Equal(4, Hit("m", "\"tenant-a\"").Blocks);
        Assert.Equal(0, Hit("m", "\"tenant-b\"").Blocks);
        Assert.Equal(0, Hit("m").Blocks);
    }

    [Fact]
    public void TryApply_AnAdaptersPrompt_IsFoundOnlyUnderItsName()
    {
        string?[] adapter = ["sql"];
        Apply(KvEventBytes.Stored([11, 12, 13, 14], null, Tokens, 16, adapter: "sql", extras: [adapter, adapter, adapter, adapter]));
        Assert.Equal(4, Hit("sql").Blocks);
        Assert.Equal(0, Hit("base").Blocks);
    }

    [Fact]
    public void TryApply_OfAnotherGroup_IsNotTaken()
    {
        Apply(KvEventBytes.Stored([11, 12], null, Tokens[..32], 16, group: 1));
        Assert.Equal(0, Hit("m").Blocks);
    }

    [Fact]
    public void TryApply_HashesAsWholeNumbers_AreTaken()
    {
        Apply(KvEventBytes.Stored([11, 12], null, Tokens[..32], 16, hashesAreNumbers: true));
        Apply(KvEventBytes.Removed([12], "GPU", hashesAreNumbers: true));
        Assert.Equal(1, Hit("m").Blocks);
    }

    [Fact]
    public void TryApply_FewerTokensThanItsBlocks_IsNotTaken()
    {
        Apply(KvEventBytes.Stored([11, 12, 13], null, Tokens[..32], 16));
        Assert.Equal(0, _knowledge.Index.Count());
    }

    [Fact]
    public void TryApply_EveryCutAndManyFlips_EndInAReasonOrAreTaken()
    {
        var good = KvEventBytes.Batch(false, KvEventBytes.Stored([11, 12, 13, 14], null, Tokens, 16, extras: [["s"], null, null, null]), KvEventBytes.Removed([11], "GPU"));
        // The last byte is the rank, which nobody needs.
        for (var length = 0; length < good.Length - 1; length++) { Assert.NotNull(_reader.TryApply(Slot, good.AsMemory(0, length))); }
        var random = new Random(7);
        for (var round = 0; round < 20_000; round++)
        {
            var bad = good.ToArray();
            for (var flip = 0; flip < 1 + (round % 4); flip++) { bad[random.Next(bad.Length)] = (byte)random.Next(256); }
            _reader.TryApply(Slot, bad);   // whatever it says: it neither throws nor grows
        }
        Assert.True(_knowledge.Index.Count() <= _knowledge.Index.Capacity);
    }

    [Theory]
    [InlineData("a name that a batch does not have")]
    [InlineData("the time of a batch")]
    [InlineData("a name that an event does not have")]
    [InlineData("extra keys")]
    [InlineData("an extra key of a block")]
    public void TryApply_NestingWithoutEnd_IsAReasonAndNotTheEndOfTheProcess(string place)
    {
        var nested = Enumerable.Repeat((byte)0x91, 1 << 20).ToArray();   // an array in an array in an array…
        byte[] closed = [.. nested, 0xc0];
        byte[] stored = [.. KvEventBytes.Stored([11], null, Tokens[..16], 16, isMap: true, extras: [["s"]]).ToArray()];
        byte[] extraKeys = [0xaa, .. "extra_keys"u8];
        var extras = stored.AsSpan().IndexOf(extraKeys) + extraKeys.Length;
        byte[] batch = place switch
        {
            "a name that a batch does not have" => [0x82, 0xa1, (byte)'x', .. closed, 0xa6, .. "events"u8, 0x90],
            "the time of a batch" => [0x92, .. closed, 0x90],
            "a name that an event does not have" => [0x92, 0x00, 0x91, 0x82, 0xa4, .. "type"u8, 0xa1, (byte)'x', 0xa1, (byte)'y', .. closed],
            "extra keys" => [0x92, 0x00, 0x91, .. stored.AsSpan(0, extras), .. closed, .. stored.AsSpan(extras + 4)],
            _ => [0x92, 0x00, 0x91, .. stored.AsSpan(0, extras), 0x91, 0x91, .. closed, .. stored.AsSpan(extras + 4)],
        };
        // What is closed is read to its end and passed over; what never closes is no batch.
        Assert.Null(_reader.TryApply(Slot, batch));
        Assert.NotNull(_reader.TryApply(Slot, batch.AsMemory(0, batch.AsSpan().LastIndexOf((byte)0x91) + 1)));
    }

    [Fact]
    public void TryApply_MoreBlocksThanAreFollowed_BelievesNoneOfTheOthers()
    {
        // The table of the engine's hashes has 2,730 entries, one event 4,096 blocks: most are given up again by those behind them.
        int[] tokens = [.. Enumerable.Range(0, 4096)];
        ulong[] hashes = [.. Enumerable.Range(1, 4096).Select(block => (ulong)block)];
        _keys.Dropped = (key, slot) => _knowledge.Index.Remove(key, slot, KvTier.Device);
        Apply(KvEventBytes.Stored(hashes, null, tokens, 1));
        var followed = hashes.Count(hash => _keys.Find(Slot, hash) != 0);
        Assert.InRange(followed, 2000, 2730);
        Assert.Equal(followed, _knowledge.Index.Count());
        Apply(KvEventBytes.Removed(hashes, "GPU"));
        Assert.Equal(0, _knowledge.Index.Count());
    }

    [Fact]
    public void TryApply_BlocksRemovedOneByOne_AreGoneInTheOrderOfTheEvents()
    {
        // 200 blocks in two tiers, more than are gathered at once; both leave block by block, and the first is stored again in the same batch.
        int[] tokens = [.. Enumerable.Range(0, 200 * 16)];
        ulong[] hashes = [.. Enumerable.Range(1, 200).Select(block => (ulong)block)];
        Apply(KvEventBytes.Stored(hashes, null, tokens, 16));
        Apply(KvEventBytes.Stored(hashes, null, tokens, 16, medium: "CPU"));
        var events = new[] { "GPU", "CPU" }.SelectMany(medium => hashes[..150].Select(hash => KvEventBytes.Removed([hash], medium))).Append(KvEventBytes.Stored([1], null, tokens[..16], 16)).ToArray();
        Assert.Null(_reader.TryApply(Slot, KvEventBytes.Batch(false, events)));
        Assert.Equal(51, _knowledge.Index.Count());
        Assert.NotEqual(0UL, _keys.Find(Slot, 1));
        Assert.Equal(0UL, _keys.Find(Slot, 2));
        Assert.NotEqual(0UL, _keys.Find(Slot, 151));
        // What stands before a fault has been applied.
        var broken = KvEventBytes.Batch(false, KvEventBytes.Removed([1], "GPU"), KvEventBytes.Removed([151], "GPU"));
        Assert.NotNull(_reader.TryApply(Slot, broken.AsMemory(0, broken.Length - 8)));
        Assert.Equal(50, _knowledge.Index.Count());
    }

    [Fact]
    public void EngineKeys_MoreThanFit_TakeTheirKnowledgeAlong()
    {
        var dropped = new List<(ulong Key, int Slot)>();
        var table = new EngineKeyTable(EngineKeyTable.EntryBytes * 64) { Dropped = (key, slot) => dropped.Add((key, slot)) };
        for (ulong block = 1; block <= 1000; block++) { table.Set(2, block, block + 5000); }
        var kept = Enumerable.Range(1, 1000).Count(block => table.Find(2, (ulong)block) == (ulong)block + 5000);
        Assert.Equal(64, kept);
        Assert.Equal(1000 - 64, dropped.Count);
        Assert.All(dropped, entry => Assert.Equal(2, entry.Slot));
        table.RemoveNode(2);
        Assert.Equal(0ul, table.Find(2, 1000));
    }

    private void Apply(ReadOnlySequence<byte> body) => Assert.Null(_reader.TryApply(Slot, KvEventBytes.Batch(false, body)));

    private PrefixHit Hit(string model, string salt = "")
    {
        var facts = new ChoiceFacts { Prompt = default, Model = model, CacheSalt = System.Text.Encoding.UTF8.GetBytes(salt) };
        using var keys = _knowledge.OfTokens(facts, Tokens, 16);
        var hits = new PrefixHit[_knowledge.Index.MaxNodes];
        var asked = new ulong[_knowledge.Index.Words];
        new NodeBits(asked).Add(Slot);
        _knowledge.Index.Match(keys.Keys, new NodeBits(asked), new NodeBits(asked), hits, new MatchTimes(0, 600, 5));
        return hits[Slot];
    }
}
