using Ferry.Kv.Hashing;
using Ferry.Router.Prefixes;
using Ferry.Router.Prefixes.Events;
using Ferry.Serving.Events;
using Xunit;

namespace Ferry.UnitTests.Serving.Events;

/// <summary>What the node writes is what the router reads.</summary>
public sealed class KvEventWriterTests
{
    private static readonly ChunkHash s_first = new([1, 1, 1, 1, 1, 1, 1, 1]);
    private static readonly ChunkHash s_second = new([2, 2, 2, 2, 2, 2, 2, 2]);

    [Fact]
    public void Write_OneOfEachKind_HasTheBytesOfTheDocument()
    {
        var bytes = KvEventWriter.Write(1.5, [Stored(s_first, null, [5, 6], "t"), new KvEvent(KvEventKind.Removed, s_first, null, [], ""), new KvEvent(KvEventKind.Cleared, default, null, [], "")]);
        Assert.Equal(
            "93cb3ff80000000000009388a474797065ab426c6f636b53746f726564ac626c6f636b5f68617368657391c4080101010101010101b1706172656e745f626c6f636b5f68617368c0a9746f6b656e5f696473920506" +
            "aa626c6f636b5f73697a6502a76c6f72615f6964c0a66d656469756da3435055aa65787472615f6b6579739191a17483a474797065ac426c6f636b52656d6f766564ac626c6f636b5f68617368657391c4080101010101010101" +
            "a66d656469756da343505581a474797065b0416c6c426c6f636b73436c656172656400",
            Convert.ToHexStringLower(bytes));
    }

    [Fact]
    public void Write_AChain_IsFoundByTheRouterUntilItIsRemoved()
    {
        var knowledge = new PrefixKnowledge(new Ferry.Router.RouterOptions { IndexBytes = 4 << 20, EventsPort = 5557 }, new Ferry.Router.RouterTime(TimeProvider.System));
        var sink = new KvEventSink(knowledge, new EngineKeyTable(1 << 16), (_, _) => { });
        var reader = new KvEventReader(sink);
        Assert.Null(reader.TryApply(0, KvEventWriter.Write(1, [Stored(s_first, null, [1, 2], ""), Stored(s_second, s_first, [3, 4], "")])));
        Assert.Equal((2L, 0L), (sink.Applied, sink.Unplaced));
        Assert.Null(reader.TryApply(0, KvEventWriter.Write(2, [new KvEvent(KvEventKind.Removed, s_second, null, [], "")])));
        Assert.Equal(3L, sink.Applied);
    }

    private static KvEvent Stored(ChunkHash hash, ChunkHash? parent, int[] tokens, string salt) => new(KvEventKind.Stored, hash, parent, tokens, salt);
}
