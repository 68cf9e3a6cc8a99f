using CsCheck;
using Ferry.Engine.Scheduling;
using Xunit;

namespace Ferry.UnitTests.Engine.Scheduling;

/// <summary>Random workloads against everything that must hold after every step.</summary>
public sealed class SchedulerPropertyTests
{
    private sealed record Work(int Arrival, int PromptTokens, int SharedTokens, int OutputTokens, int Choices, int AbortAfter, int LoadSteps);

    private static readonly Gen<Work> Works = Gen.Select(
        Gen.Int[0, 40], Gen.Int[1, 60], Gen.Int[0, 60], Gen.Int[1, 12], Gen.Frequency((5, Gen.Const(1)), (1, Gen.Int[2, 3])),
        Gen.Frequency((8, Gen.Const(int.MaxValue)), (1, Gen.Int[0, 12])), Gen.Frequency((3, Gen.Const(-1)), (1, Gen.Int[0, 6])))
        .Select((arrival, prompt, shared, output, choices, abort, load) => new Work(arrival, prompt, shared, output, choices, abort, load));

    private static readonly Gen<SchedulerLimits> Limits = Gen.Select(
        Gen.Int[1, 6], Gen.Int[6, 40], Gen.Int[0, 3].Select(i => new[] { 1, 3, 4, 16 }[i]), Gen.Int[0, 20], Gen.Bool, Gen.Bool)
        .Select((seqs, batched, block, spare, prefix, chunked) => new SchedulerLimits(
            seqs, 80, chunked ? batched : 80 + batched, 1000, 3, block, ((80 + block - 1) / block) + spare, prefix, chunked));

    [Fact]
    public void Schedule_RandomWorkload_HoldsEveryLimitAndFinishesEverybody() =>
        Gen.Select(Limits, Works.Array[1, 25]).Sample((limits, works) => Simulate(limits, works), iter: 400);

    private static void Simulate(SchedulerLimits limits, Work[] works)
    {
        var scheduler = new Scheduler(limits);
        var left = works.Select((work, index) => (work, index)).OrderBy(w => w.work.Arrival).ToList();
        var output = new Dictionary<Sequence, int>();
        var age = new Dictionary<Sequence, int>();
        var byRequest = new Dictionary<Sequence, Work>();
        var loading = new Dictionary<Sequence, int>();
        var (steps, active) = (0, new List<Sequence>());
        while (left.Count > 0 || active.Count > 0)
        {
            // Bounds the time to finish: every step advances at least the oldest, by a token.
            Assert.True(++steps < 20_000, "somebody starves");
            while (left.Count > 0 && left[0].work.Arrival <= steps)
            {
                foreach (var sequence in Create(left[0].work, left[0].index, limits))
                {
                    Assert.True(scheduler.TryAdd(sequence));
                    active.Add(sequence);
                    byRequest[sequence] = left[0].work;
                }
                left.RemoveAt(0);
            }
            while (scheduler.NextToLoad() is { } toLoad)
            {
                toLoad.LoadDecided = true;
                toLoad.State = SequenceState.WaitingForRemoteKv;
                loading[toLoad] = byRequest[toLoad].LoadSteps;
            }
            foreach (var sequence in loading.Keys.ToList())
            {
                if (loading[sequence]-- > 0 || sequence.State != SequenceState.WaitingForRemoteKv) { continue; }
                loading.Remove(sequence);
                sequence.State = SequenceState.Waiting;
                if (byRequest[sequence].LoadSteps % 2 == 0) { sequence.LoadedTokens = (0, sequence.PromptCount); }
            }
            Assert.True(scheduler.Waiting.Count(s => s.State == SequenceState.WaitingForRemoteKv) <= limits.MaxLoads);

            var plan = scheduler.Schedule();
            CheckPlan(plan, limits);
            scheduler.CheckIntegrity();
            scheduler.Complete(plan);
            foreach (var scheduled in plan.Scheduled.Where(s => s.FirstPosition + s.TokenCount == s.Sequence.Count))
            {
                var sequence = scheduled.Sequence;
                sequence.AppendToken((sequence.Count * 7) % 5);
                output[sequence] = output.GetValueOrDefault(sequence) + 1;
                if (output[sequence] >= byRequest[sequence].OutputTokens || sequence.Count >= limits.MaxModelLen) { End(sequence); }
            }
            foreach (var sequence in active.ToList())
            {
                age[sequence] = age.GetValueOrDefault(sequence) + 1;
                if (age[sequence] > byRequest[sequence].AbortAfter) { End(sequence); }
            }
            scheduler.CheckIntegrity();
        }
        Assert.Equal(0, scheduler.HeldBlocks);

        void End(Sequence sequence)
        {
            scheduler.Finish(sequence);
            active.Remove(sequence);
            loading.Remove(sequence);
        }
    }

    private static void CheckPlan(StepPlan plan, SchedulerLimits limits)
    {
        Assert.True(plan.TokenCount <= limits.MaxNumBatchedTokens);
        Assert.Equal(plan.TokenCount, plan.Scheduled.Sum(s => s.TokenCount));
        Assert.Equal(plan.Scheduled.Count, plan.Scheduled.Select(s => s.Sequence).Distinct().Count());
        foreach (var (sequence, first, count, wantsLogits) in plan.Scheduled)
        {
            Assert.Equal(SequenceState.Running, sequence.State);
            Assert.Equal(sequence.ComputedTokens, first);
            Assert.True(count >= 1 && first + count <= sequence.Count);
            Assert.True(sequence.BlockCount >= sequence.BlocksFor(first + count));
            Assert.Equal(first + count == sequence.Count, wantsLogits);
            Assert.True(limits.EnableChunkedPrefill || wantsLogits);
        }
        // Written blocks are the writer's alone: nobody else's table may hold a block from its first computed token on.
        var tables = plan.Scheduled.Select(s => (s.Sequence, Written: s.Sequence.BlockTable[(s.FirstPosition / limits.BlockTokens)..].ToArray())).ToList();
        foreach (var (sequence, written) in tables)
        {
            foreach (var (other, _) in tables.Where(t => t.Sequence != sequence))
            {
                Assert.Empty(written.Intersect(other.BlockTable.ToArray()));
            }
        }
    }

    private static IEnumerable<Sequence> Create(Work work, int index, SchedulerLimits limits)
    {
        // The first tokens are the same for all, so that prefixes are shared.
        int[] prompt = [.. Enumerable.Range(0, work.PromptTokens).Select(at => at < work.SharedTokens ? at % 9 : (at * 31) + (index * 1000))];
        Sequence? leader = null;
        for (var choice = 0; choice < work.Choices; choice++)
        {
            var sequence = new Sequence($"r{index}", choice, prompt, limits.EnablePrefixCaching ? "" : $"r{index}", limits.BlockTokens, leader)
            {
                LoadDecided = leader is not null || work.LoadSteps < 0,
            };
            leader ??= sequence;
            yield return sequence;
        }
    }
}
