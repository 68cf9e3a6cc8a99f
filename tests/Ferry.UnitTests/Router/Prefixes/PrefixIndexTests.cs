using Ferry.Router.Policies;
using Ferry.Router.Prefixes;
using Xunit;

namespace Ferry.UnitTests.Router.Prefixes;

public sealed class PrefixIndexTests
{
    private const uint Lifetime = 600;
    private readonly PrefixIndex _index = new(1 << 20, 96, hasEvents: true);

    [Fact]
    public void Match_NodesWithPrefixesOfSeveralLengths_CountsEachWithoutGap()
    {
        var keys = Keys(100);
        Add(keys.AsSpan(..100), 3, KvTier.Device);
        Add(keys.AsSpan(..40), 70, KvTier.Device);
        Add(keys.AsSpan(50..), 5, KvTier.Device);   // has no start: nothing of it can be used
        var hits = Match(keys, [3, 70, 5, 9]);
        Assert.Equal(new PrefixHit(100, 0, 0), hits[3]);
        Assert.Equal(new PrefixHit(40, 0, 0), hits[70]);
        Assert.Equal(default, hits[5]);
        Assert.Equal(default, hits[9]);
    }

    [Fact]
    public void Match_BlocksInSeveralTiers_CountsEachInItsBest()
    {
        var keys = Keys(30);
        Add(keys.AsSpan(..10), 1, KvTier.Device);
        Add(keys.AsSpan(..20), 1, KvTier.Host);
        Add(keys.AsSpan(..30), 1, KvTier.Storage);
        Assert.Equal(new PrefixHit(10, 10, 10), Match(keys, [1])[1]);
        Assert.Equal(10 + (10 * 0.75) + (10 * 0.25), Match(keys, [1])[1].Weighted(0.75, 0.25));
    }

    [Fact]
    public void Remove_OneTierOfTwo_SaysThatTheOtherStays()
    {
        _index.Add(7, 1, KvTier.Device, 0, 1, Lifetime);
        _index.Add(7, 1, KvTier.Host, 0, 1, Lifetime);
        _index.Add(8, 1, KvTier.Device, 0, 1, Lifetime);
        bool[] stays = [true, true, true];
        _index.Remove([7, 8, 9], 1, KvTier.Device, stays);
        Assert.Equal([true, false, false], stays);
        Assert.Equal(new PrefixHit(0, 1, 0), Match([7], [1])[1]);
        _index.Remove([7], 1, KvTier.Host, stays);
        Assert.False(stays[0]);
        Assert.Equal(0, _index.Count());
    }

    [Fact]
    public void Remove_APrompt_TakesItFromThatNodeAndTierAlone()
    {
        var keys = Keys(100);
        Add(keys, 1, KvTier.Device);
        Add(keys, 1, KvTier.Host);
        Add(keys, 2, KvTier.Device);
        _index.Remove(keys.AsSpan(30), 1, KvTier.Device);
        var hits = Match(keys, [1, 2]);
        Assert.Equal((new PrefixHit(30, 70, 0), new PrefixHit(100, 0, 0)), (hits[1], hits[2]));
        _index.Remove(keys, 1, KvTier.Device);
        _index.Remove(keys, 1, KvTier.Host);
        _index.Remove(keys, 2, KvTier.Device);
        Assert.Equal(0, _index.Count());
    }

    [Fact]
    public void Remove_FromTheDevice_EndsTheBeliefThatItWasComputedThere()
    {
        _index.Add(7, 1, KvTier.Routed, 0, 1, Lifetime);
        _index.Remove(7, 1, KvTier.Device);
        Assert.Equal(default, Match([7], [1])[1]);
    }

    [Fact]
    public void Match_RoutedLongAgo_CountsForNobody()
    {
        _index.Add(7, 1, KvTier.Routed, 0, 1, Lifetime);
        Assert.Equal(1, Match([7], [1], now: 601)[1].Blocks);
        Assert.Equal(0, Match([7], [1], now: 602)[1].Blocks);
    }

    [Fact]
    public void Match_RoutedToANodeWithEvents_CountsOnlyUntilItsEventsCanHaveCome()
    {
        _index.Add(7, 1, KvTier.Routed, 0, 1, Lifetime);
        _index.Add(7, 2, KvTier.Routed, 0, 1, Lifetime);
        var soon = Match([7], [1, 2], now: 6, eventful: [2]);
        var later = Match([7], [1, 2], now: 7, eventful: [2]);
        Assert.Equal((1, 1), (soon[1].Blocks, soon[2].Blocks));
        Assert.Equal((1, 0), (later[1].Blocks, later[2].Blocks));
    }

    [Fact]
    public void Add_RoutedAgainAfterItsTime_ForgetsWhoHadItBefore()
    {
        _index.Add(7, 1, KvTier.Routed, 0, 1, Lifetime);
        _index.Add(7, 2, KvTier.Routed, 0, 700, Lifetime);
        var hits = Match([7], [1, 2], now: 700);
        Assert.Equal((0, 1), (hits[1].Blocks, hits[2].Blocks));
    }

    [Fact]
    public void RemoveNode_OneOfTwo_LeavesTheOther()
    {
        var keys = Keys(50);
        Add(keys, 1, KvTier.Device);
        Add(keys, 2, KvTier.Storage);
        _index.RemoveNode(1);
        var hits = Match(keys, [1, 2]);
        Assert.Equal((0, 50), (hits[1].Blocks, hits[2].Blocks));
    }

    [Fact]
    public void Add_SlotOutsideTheIndex_ChangesNothing()
    {
        _index.Add(7, 128, KvTier.Device, 0, 1, Lifetime);
        _index.Add(7, -1, KvTier.Device, 0, 1, Lifetime);
        Assert.Equal(0, _index.Count());
    }

    [Theory]
    [InlineData(64 << 10, 64, false)]
    [InlineData(1 << 20, 1024, true)]
    [InlineData(3_333_333, 128, true)]
    public void Bytes_OfAnyBudget_StayUnderIt(long budget, int nodes, bool hasEvents)
    {
        var index = new PrefixIndex(budget, nodes, hasEvents);
        Assert.InRange(index.Bytes, budget / 4, budget);
        Assert.True(index.Capacity > 0);
    }

    [Fact]
    public void Add_FarMoreThanFit_KeepsTheNewestAndTheBound()
    {
        var index = new PrefixIndex(1 << 20, 64, hasEvents: false);
        var last = new ulong[1000];
        for (uint block = 0; block < 200_000; block++)
        {
            var hash = Math.Max(1, PowerOfTwoPolicy.Mix(block + 1));
            index.Add(hash, 1, KvTier.Routed, 0, block / 1000, uint.MaxValue);
            if (block >= 199_000) { last[block - 199_000] = hash; }
        }
        Assert.True(index.Count() <= index.Capacity);
        Assert.True(index.Count() > index.Capacity * 9 / 10);
        var times = new MatchTimes(199, uint.MaxValue, 5);
        var hits = new PrefixHit[64];
        var all = new ulong[] { 2 };
        var found = 0;
        foreach (var hash in last) { found += index.Match([hash], new NodeBits(all), new NodeBits(new ulong[1]), hits, times); }
        Assert.Equal(1000, found);   // none of the newest second was given up for another
    }

    /// <summary>A table that is not full must lose (nearly) nothing: with a block go all behind it.</summary>
    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(0.75, 0.0005)]
    public void Add_PartOfTheCapacity_GivesUpNextToNothing(double part, double atMost)
    {
        var index = new PrefixIndex(8 << 20, 64, hasEvents: false);
        for (ulong block = 0; block < index.Capacity * part; block++) { index.Add(Math.Max(1, PowerOfTwoPolicy.Mix(block + 1)), 1, KvTier.Routed, 0, 1, Lifetime); }
        Assert.InRange(index.Evictions, 0, index.Capacity * part * atMost);
    }

    [Fact]
    public void RandomOperations_AgainstSets_AgreeAlways()
    {
        const int Seed = 20260811;
        var random = new Random(Seed);
        var index = new PrefixIndex(8 << 20, 96, hasEvents: true);
        var model = new Dictionary<(ulong Hash, int Slot, KvTier Tier), bool>();
        var keys = Keys(200);
        for (var step = 0; step < 20_000; step++)
        {
            var (depth, slot, tier) = (random.Next(keys.Length), random.Next(96), (KvTier)random.Next(1, 4));
            switch (random.Next(20))
            {
                case < 14:
                    index.Add(keys[depth], slot, tier, depth, 1, Lifetime);
                    model[(keys[depth], slot, tier)] = true;
                    break;
                case < 19:
                    index.Remove(keys[depth], slot, tier);
                    model.Remove((keys[depth], slot, tier));
                    break;
                default:
                    index.RemoveNode(slot);
                    foreach (var key in model.Keys.Where(key => key.Slot == slot).ToArray()) { model.Remove(key); }
                    break;
            }
            if (step % 500 != 0) { continue; }
            // Any order of blocks is a prompt to the index.
            var prompt = keys.OrderBy(_ => random.Next()).Take(60).ToArray();
            var hits = Match(index, prompt, [.. Enumerable.Range(0, 96)]);
            for (var node = 0; node < 96; node++)
            {
                var expected = prompt.TakeWhile(hash => Enumerable.Range(1, 3).Any(t => model.ContainsKey((hash, node, (KvTier)t)))).ToArray();
                Assert.Equal(expected.Length, hits[node].Blocks);
                Assert.Equal(expected.Count(hash => model.ContainsKey((hash, node, KvTier.Device))), hits[node].Device);
            }
        }
    }

    [Fact]
    public void Match_LongPromptManyNodes_AllocatesNothing()
    {
        var keys = Keys(3_750);
        var index = new PrefixIndex(16 << 20, 96, hasEvents: true);
        for (var depth = 0; depth < keys.Length; depth++) { index.Add(keys[depth], depth % 96, KvTier.Device, depth, 1, Lifetime); index.Add(keys[depth], 0, KvTier.Device, depth, 1, Lifetime); }
        var (asked, none, hits) = (new ulong[index.Words], new ulong[index.Words], new PrefixHit[index.MaxNodes]);
        asked.AsSpan().Fill(ulong.MaxValue);
        var times = new MatchTimes(1, Lifetime, 5);
        index.Match(keys, new NodeBits(asked), new NodeBits(none), hits, times);
        var before = GC.GetAllocatedBytesForCurrentThread();
        index.Match(keys, new NodeBits(asked), new NodeBits(none), hits, times);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(3_750, hits[0].Blocks);
    }

    [Fact]
    public async Task AddMatchRemove_FromSeveralThreads_NeverShowsAnotherBlocksNode()
    {
        // A table so small that entries change hands all the time; slot and hash belong together, so a mix-up shows.
        var index = new PrefixIndex(4096, 64, hasEvents: false);
        var writers = Enumerable.Range(0, 2).Select(writer => Task.Run(() =>
        {
            for (ulong step = 0; step < 200_000; step++)
            {
                var hash = Math.Max(1, PowerOfTwoPolicy.Mix((step % 4096) + ((ulong)writer * 2048)));
                index.Add(hash, (int)(hash % 64), KvTier.Routed, 0, (uint)(step >> 8), uint.MaxValue);
            }
        }, TestContext.Current.CancellationToken)).ToArray();
        var all = new[] { ulong.MaxValue };
        var none = new ulong[1];
        var hits = new PrefixHit[64];
        ulong looked = 0;
        while (!Task.WhenAll(writers).IsCompleted)
        {
            var hash = Math.Max(1, PowerOfTwoPolicy.Mix(looked++ % 6144));
            index.Match([hash], new NodeBits(all), new NodeBits(none), hits, new MatchTimes(1000, uint.MaxValue, 5));
            for (var slot = 0; slot < 64; slot++) { Assert.True(hits[slot].Blocks == 0 || slot == (int)(hash % 64)); }
        }
        await Task.WhenAll(writers);
    }

    private void Add(ReadOnlySpan<ulong> keys, int slot, KvTier tier)
    {
        for (var depth = 0; depth < keys.Length; depth++) { _index.Add(keys[depth], slot, tier, depth, 1, Lifetime); }
    }

    private PrefixHit[] Match(ReadOnlySpan<ulong> keys, int[] slots, uint now = 1, int[]? eventful = null) => Match(_index, keys, slots, now, eventful);

    private static PrefixHit[] Match(PrefixIndex index, ReadOnlySpan<ulong> keys, int[] slots, uint now = 1, int[]? eventful = null)
    {
        var (asked, withEvents, hits) = (new ulong[index.Words], new ulong[index.Words], new PrefixHit[index.MaxNodes]);
        foreach (var slot in slots) { new NodeBits(asked).Add(slot); }
        foreach (var slot in eventful ?? []) { new NodeBits(withEvents).Add(slot); }
        index.Match(keys, new NodeBits(asked), new NodeBits(withEvents), hits, new MatchTimes(now, Lifetime, 5));
        return hits;
    }

    private static ulong[] Keys(int count) => [.. Enumerable.Range(1, count).Select(block => Math.Max(1, PowerOfTwoPolicy.Mix((ulong)block << 20)))];
}
