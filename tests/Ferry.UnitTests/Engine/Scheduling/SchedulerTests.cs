using Ferry.Engine.Scheduling;
using Xunit;

namespace Ferry.UnitTests.Engine.Scheduling;

public sealed class SchedulerTests
{
    private static readonly SchedulerLimits Limits = new(
        MaxNumSeqs: 4, MaxModelLen: 64, MaxNumBatchedTokens: 16, MaxWaiting: 2, MaxLoads: 1, BlockTokens: 4, BlockCount: 32);

    [Fact]
    public void Schedule_LongPrompt_IsCutIntoChunksWhileOthersDecode()
    {
        var scheduler = new Scheduler(Limits);
        var decoding = Add(scheduler, "d", 4);
        Run(scheduler);
        decoding.AppendToken(1);
        var prompt = Add(scheduler, "p", 40, offset: 500);
        Assert.Equal([("d", 1), ("p", 15)], Run(scheduler));
        decoding.AppendToken(1);
        Assert.Equal([("d", 1), ("p", 15)], Run(scheduler));
        decoding.AppendToken(1);
        Assert.Equal([("d", 1), ("p", 10)], Run(scheduler));
        Assert.True(prompt.PromptDone);
    }

    [Fact]
    public void Schedule_SecondRequestOfOnePrompt_ComputesTheUnsharedRestOnly()
    {
        var scheduler = new Scheduler(Limits);
        Finish(scheduler, Add(scheduler, "a", 12));
        var second = Add(scheduler, "b", 12);
        Assert.Equal([("b", 4)], Run(scheduler)); // 8 of 12: the last token is always computed, so its block is too
        Assert.Equal(12, second.ComputedTokens);
    }

    [Fact]
    public void Schedule_OtherNameSpace_SharesNothing()
    {
        var scheduler = new Scheduler(Limits);
        Finish(scheduler, Add(scheduler, "a", 12));
        Add(scheduler, "b", 12, nameSpace: "other");
        Assert.Equal([("b", 12)], Run(scheduler));
    }

    [Fact]
    public void Schedule_ChoicesOfOnePrompt_WaitForTheFirstAndShareItsBlocks()
    {
        var scheduler = new Scheduler(Limits);
        var leader = Add(scheduler, "r", 18);
        var second = new Sequence("r2", 1, [.. Enumerable.Range(0, 18)], "", 4, leader);
        scheduler.TryAdd(second);
        Assert.Equal([("r", 16)], Run(scheduler));
        Assert.Equal([("r", 2)], Run(scheduler));
        leader.AppendToken(1);
        Assert.Equal([("r", 1), ("r2", 2)], Run(scheduler));
        Assert.Equal(leader.BlockTable[..4].ToArray(), second.BlockTable[..4].ToArray());
        Assert.NotEqual(leader.BlockTable.Span[4], second.BlockTable.Span[4]);
    }

    [Fact]
    public void Schedule_PoolFull_PreemptsTheYoungestAndBringsItBackFirst()
    {
        var scheduler = new Scheduler(Limits with { BlockCount = 16 });
        var (old, young) = (Add(scheduler, "old", 16), (Sequence?)null);
        Run(scheduler);
        young = Add(scheduler, "young", 16, offset: 100);
        old.AppendToken(0);
        Run(scheduler);
        Run(scheduler);
        var waiting = Add(scheduler, "late", 16, offset: 200);
        while (scheduler.PreemptionCount == 0)
        {
            if (old.PendingTokens == 0) { old.AppendToken(0); }
            if (young.PendingTokens == 0) { young.AppendToken(0); }
            if (waiting.State == SequenceState.Running && waiting.PendingTokens == 0) { scheduler.Finish(waiting); }
            Run(scheduler);
        }
        Assert.Equal(SequenceState.Running, old.State);
        var preempted = Assert.Single(scheduler.Waiting, s => s.State == SequenceState.Preempted);
        Assert.Same(preempted, scheduler.Waiting[0]);
        Assert.Equal(0, preempted.BlockCount);
        scheduler.CheckIntegrity();
        scheduler.Finish(old);
        Run(scheduler);
        Assert.Equal(SequenceState.Running, preempted.State);
    }

    [Fact]
    public void Schedule_HeadOfTheQueueHasNoRoom_NobodyOvertakesIt()
    {
        var scheduler = new Scheduler(Limits with { BlockCount = 16 });
        var first = Add(scheduler, "first", 40);
        Run(scheduler);
        Add(scheduler, "big", 60, offset: 100);
        Add(scheduler, "small", 2, offset: 900);
        while (first.PendingTokens > 0) { Assert.All(Run(scheduler), s => Assert.Equal("first", s.RequestId)); }
        Assert.Empty(Run(scheduler));
        scheduler.Finish(first);
        Assert.Equal("big", Run(scheduler)[0].RequestId);
    }

    [Fact]
    public void Schedule_SequenceWaitingForRemoteKv_LetsOthersPass()
    {
        var scheduler = new Scheduler(Limits);
        var loading = Add(scheduler, "loading", 12);
        loading.State = SequenceState.WaitingForRemoteKv;
        Add(scheduler, "other", 3, offset: 50);
        Assert.Equal([("other", 3)], Run(scheduler));
        loading.State = SequenceState.Waiting;
        loading.LoadedTokens = (0, 12);
        var plan = scheduler.Schedule();
        var admission = Assert.Single(plan.Admitted);
        Assert.Equal((0, 11), (admission.LocalTokens, admission.ExternalTokens));
        Assert.Equal((11, 1), (plan.Scheduled[^1].FirstPosition, plan.Scheduled[^1].TokenCount));
    }

    [Fact]
    public void Schedule_LoadedKvBehindAGap_IsNotUsed()
    {
        var scheduler = new Scheduler(Limits);
        var sequence = Add(scheduler, "a", 12);
        sequence.LoadedTokens = (4, 12); // as if the prefix cache had held block 0 and forgot it
        Assert.Equal(0, scheduler.Schedule().Admitted[0].ExternalTokens);
    }

    [Fact]
    public void TryAdd_QueueFull_IsRefused()
    {
        var scheduler = new Scheduler(Limits);
        Add(scheduler, "a", 4);
        Add(scheduler, "b", 4);
        Assert.False(scheduler.TryAdd(new Sequence("c", 0, [1], "", 4)));
        Run(scheduler);
        Assert.True(scheduler.TryAdd(new Sequence("c", 0, [1], "", 4)));
    }

    [Fact]
    public void NextToLoad_EnoughUnderWay_Waits()
    {
        var scheduler = new Scheduler(Limits with { MaxWaiting = 8 });
        var (a, b) = (Undecided("a"), Undecided("b"));
        scheduler.TryAdd(a);
        scheduler.TryAdd(b);
        Assert.Same(a, scheduler.NextToLoad());
        (a.LoadDecided, a.State) = (true, SequenceState.WaitingForRemoteKv);
        Assert.Null(scheduler.NextToLoad());
        a.State = SequenceState.Waiting;
        Assert.Same(b, scheduler.NextToLoad());
    }

    [Theory]
    [InlineData(8, 64, 4, 32, true, "max_num_batched_tokens")]
    [InlineData(4, 64, 16, 15, true, "KV pool")]
    [InlineData(4, 64, 16, 32, false, "chunked prefill")]
    public void Scheduler_LimitsThatDoNotFit_AreNamed(int seqs, int length, int batched, int blocks, bool chunked, string named)
    {
        var limits = Limits with { MaxNumSeqs = seqs, MaxModelLen = length, MaxNumBatchedTokens = batched, BlockCount = blocks, EnableChunkedPrefill = chunked };
        Assert.Contains(named, Assert.Throws<ArgumentException>(() => new Scheduler(limits)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BlockManager_HashThatCollides_IsNotFound()
    {
        var blocks = new BlockManager(2, 2);
        var block = blocks.Allocate();
        var hash = BlockHash.Next(BlockHash.Root(""), [1, 2]);
        blocks.Register(block, hash, [1, 2]);
        Assert.Equal(block, blocks.TryFind(hash, [1, 2]));
        Assert.Null(blocks.TryFind(hash, [1, 3]));
    }

    private static Sequence Undecided(string id) => new(id, 0, [1, 2], "", 4) { LoadDecided = false };

    private static Sequence Add(Scheduler scheduler, string id, int promptTokens, int offset = 0, string nameSpace = "")
    {
        var sequence = new Sequence(id, 0, [.. Enumerable.Range(offset, promptTokens)], nameSpace, 4);
        Assert.True(scheduler.TryAdd(sequence));
        return sequence;
    }

    private static void Finish(Scheduler scheduler, Sequence sequence)
    {
        while (sequence.PendingTokens > 0) { Run(scheduler); }
        scheduler.Finish(sequence);
    }

    private static List<(string RequestId, int TokenCount)> Run(Scheduler scheduler)
    {
        var plan = scheduler.Schedule();
        scheduler.Complete(plan);
        scheduler.CheckIntegrity();
        return [.. plan.Scheduled.Select(s => (s.Sequence.RequestId, s.TokenCount))];
    }
}
