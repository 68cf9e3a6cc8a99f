using Ferry.Cache.Eviction;
using Ferry.Cache.Records;
using Ferry.Kv.Hashing;
using Ferry.Kv.Keys;
using Ferry.Serving.Events;
using Xunit;

namespace Ferry.UnitTests.Serving.Events;

public sealed class KvEventBookTests
{
    private readonly KvEventBook _book = new(queueMax: 4);
    private readonly HashSet<KvKey> _memory = [];

    [Fact]
    public void Announce_AChunkInMemory_IsSaidOnce()
    {
        Store(1);
        Announce(1);
        Announce(1);
        var only = Assert.Single(_book.Take(10));
        Assert.Equal((KvEventKind.Stored, Key(1).Hash, 3), (only.Kind, only.Hash, only.Tokens.Length));
        Assert.Empty(_book.Take(10));
    }

    [Fact]
    public void Announce_AChunkThatMemoryRefused_IsNotSaid()
    {
        Announce(1);
        Assert.Empty(_book.Take(10));
    }

    [Fact]
    public void Left_AnAnnouncedChunk_IsSaidAndMayBeAnnouncedAgain()
    {
        Store(1);
        Announce(1);
        Leave(1);
        Leave(1);
        Store(1);
        Announce(1);
        Assert.Equal([KvEventKind.Stored, KvEventKind.Removed, KvEventKind.Stored], _book.Take(10).Select(one => one.Kind));
    }

    [Fact]
    public void Announce_WhileTheChunkLeaves_IsTakenBack()
    {
        Store(1);
        var asked = 0;
        _book.Announce(Key(1), null, [1, 2, 3], _ => asked++ == 0); // There when asked first, gone when asked again.
        Assert.Equal([KvEventKind.Stored, KvEventKind.Removed], _book.Take(10).Select(one => one.Kind));
    }

    [Fact]
    public void Queue_Full_DeclaresEverythingUnknown()
    {
        for (var number = 0; number < 6; number++)
        {
            Store(number);
            Announce(number);
        }
        Assert.Equal(1, _book.Overflows);
        Assert.Equal([KvEventKind.Cleared, KvEventKind.Stored], _book.Take(10).Select(one => one.Kind));
        Announce(0); // Forgotten with the rest, so it is news.
        Assert.Equal(KvEventKind.Stored, Assert.Single(_book.Take(10)).Kind);
    }

    private void Store(int number) => _memory.Add(Key(number));

    private void Announce(int number) => _book.Announce(Key(number), null, [1, 2, 3], _memory.Contains);

    private void Leave(int number)
    {
        _memory.Remove(Key(number));
        ((IRecordObserver)_book).Left(new ChunkEvent(Key(number), 1, 100, TimeSpan.Zero, TimeSpan.Zero), EvictionReason.Capacity);
    }

    private static KvKey Key(int number) => new("", 7, new ChunkHash([(byte)number, 1, 2, 3, 4, 5, 6, 7]));
}
