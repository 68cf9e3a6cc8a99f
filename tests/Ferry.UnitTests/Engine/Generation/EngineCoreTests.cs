using Ferry.Engine.Generation;
using Ferry.TestKit.Engines;
using Xunit;

namespace Ferry.UnitTests.Engine.Generation;

/// <summary>The loop over a model whose output betrays every wrong block, every missing or misplaced token.</summary>
public sealed class EngineCoreTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(63)]
    public async Task Run_Plain_GivesTheModelsTokens(int promptTokens)
    {
        var bench = new EngineBench();
        var request = bench.Submit(EngineBench.Prompt(promptTokens));
        await bench.RunAsync();
        var result = EngineBench.Collect(request);
        Assert.Equal(bench.Runner.ExpectedGreedy(EngineBench.Prompt(promptTokens), 12), result.Tokens);
        Assert.Equal(FinishReason.Length, result.Finish!.Reason);
        Assert.Equal(0, bench.Core.Snapshot().KvUsage);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(17)]
    public async Task Run_ChunkedAndBatched_GivesTheSameTokens(int batchedTokens)
    {
        var bench = new EngineBench(EngineBench.DefaultLimits with { MaxNumBatchedTokens = batchedTokens });
        var requests = Enumerable.Range(1, 12).Select(i => bench.Submit(EngineBench.Prompt(i * 5, i))).ToList();
        await bench.RunAsync();
        Assert.All(bench.Runner.StepTokens, tokens => Assert.InRange(tokens, 1, batchedTokens));
        var stats = bench.Core.Snapshot();
        Assert.Equal((stats.Steps, (long)bench.Runner.StepTokens.Sum()), (stats.StepsByTokens.Sum(), stats.StepTokens));
        Assert.Equal(bench.Runner.StepTokens.Count(tokens => tokens is > 1 and <= 8), stats.StepsByTokens[1]);
        for (var i = 0; i < requests.Count; i++)
        {
            Assert.Equal(bench.Runner.ExpectedGreedy(EngineBench.Prompt((i + 1) * 5, i + 1), 12), EngineBench.Collect(requests[i]).Tokens);
        }
    }

    [Fact]
    public async Task Run_PrefixHit_ComputesLessAndGivesTheSameTokens()
    {
        var bench = new EngineBench();
        var first = bench.Submit(EngineBench.Prompt(40));
        await bench.RunAsync();
        var computed = bench.Runner.ComputedTokens;
        var second = bench.Submit([.. EngineBench.Prompt(40), 7, 8]);
        await bench.RunAsync();
        Assert.Equal(bench.Runner.ExpectedGreedy([.. EngineBench.Prompt(40), 7, 8], 12), EngineBench.Collect(second).Tokens);
        Assert.Equal(40, EngineBench.Collect(second) is var _ ? bench.Core.Snapshot().PrefixCacheHits : 0);
        Assert.Equal(2 + 11, bench.Runner.ComputedTokens - computed);
        Assert.Equal(12, EngineBench.Collect(first).Tokens.Length);
    }

    [Fact]
    public async Task Run_GeneratedTokensAsPrefix_AreFoundToo()
    {
        var bench = new EngineBench();
        var first = bench.Submit(EngineBench.Prompt(10));
        await bench.RunAsync();
        int[] next = [.. EngineBench.Prompt(10), .. EngineBench.Collect(first).Tokens, 5, 6];
        var second = bench.Submit(next);
        await bench.RunAsync();
        var result = EngineBench.Collect(second);
        Assert.Equal(bench.Runner.ExpectedGreedy(next, 12), result.Tokens);
        Assert.Equal(20, result.Finish!.CachedTokens); // 21 of the 22 were computed: five whole blocks
    }

    [Fact]
    public async Task Run_OtherSaltOrCachingOff_SharesNothing()
    {
        var salted = new EngineBench();
        salted.Submit(EngineBench.Prompt(40), salt: "a");
        await salted.RunAsync();
        salted.Submit(EngineBench.Prompt(40), salt: "b");
        await salted.RunAsync();
        Assert.Equal(0, salted.Core.Snapshot().PrefixCacheHits);

        var off = new EngineBench(EngineBench.DefaultLimits with { EnablePrefixCaching = false });
        off.Submit(EngineBench.Prompt(40));
        await off.RunAsync();
        var second = off.Submit(EngineBench.Prompt(40));
        await off.RunAsync();
        Assert.Equal(0, EngineBench.Collect(second).Finish!.CachedTokens);
        Assert.Equal(0, off.Core.Snapshot().PrefixCacheQueries);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_PoolTooSmallForAll_PreemptsAndGivesTheSameTokens(bool prefixCaching)
    {
        var bench = new EngineBench(EngineBench.DefaultLimits with { MaxModelLen = 64, BlockCount = 20, EnablePrefixCaching = prefixCaching });
        var sampling = EngineBench.Greedy with { MaxTokens = 30 };
        var requests = Enumerable.Range(1, 6).Select(i => bench.Submit(EngineBench.Prompt(12, i), sampling)).ToList();
        await bench.RunAsync();
        Assert.NotEqual(0, bench.Core.Snapshot().Preemptions);
        for (var i = 0; i < requests.Count; i++)
        {
            Assert.Equal(bench.Runner.ExpectedGreedy(EngineBench.Prompt(12, i + 1), 30), EngineBench.Collect(requests[i]).Tokens);
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(512)]
    public async Task Run_SameSeed_GivesTheSameTokensInAnyCompany(int batchedTokens)
    {
        var sampling = new SamplingParams { Seed = 42, MaxTokens = 20, IgnoreEos = true, TopP = 0.9f, TopK = 40 };
        var alone = new EngineBench();
        var expected = alone.Submit(EngineBench.Prompt(20), sampling);
        await alone.RunAsync();

        var bench = new EngineBench(EngineBench.DefaultLimits with { MaxNumBatchedTokens = batchedTokens });
        for (var i = 2; i < 6; i++) { bench.Submit(EngineBench.Prompt(i * 3, i), sampling); }
        var request = bench.Submit(EngineBench.Prompt(20), sampling);
        await bench.RunAsync();
        Assert.Equal(EngineBench.Collect(expected).Tokens, EngineBench.Collect(request).Tokens);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_SeveralChoices_ShareThePromptAndDiffer(bool prefixCaching)
    {
        var bench = new EngineBench(EngineBench.DefaultLimits with { EnablePrefixCaching = prefixCaching });
        var request = bench.Submit(EngineBench.Prompt(40), new SamplingParams { N = 3, Seed = 1, MaxTokens = 8, IgnoreEos = true });
        await bench.RunAsync();
        var outputs = new List<GenerationOutput>();
        while (request.Outputs.TryRead(out var output)) { outputs.Add(output); }
        var choices = Enumerable.Range(0, 3).Select(i => Collected.Of(outputs, i)).ToList();
        Assert.Equal(3, choices.Select(c => string.Join(',', c.Tokens)).Distinct().Count());
        Assert.All(choices, c => Assert.Equal(8, c.Tokens.Length));
        Assert.All(choices.Skip(1), c => Assert.Equal(36, c.Finish!.CachedTokens));
        Assert.Equal(40 + 4 + 4 + (3 * 7), bench.Runner.ComputedTokens);
        Assert.True(request.Outputs.Completion.IsCompleted);
    }

    [Fact]
    public async Task Run_StopTokenAndEos_EndWithTheirReasons()
    {
        var bench = new EngineBench();
        var tokens = bench.Runner.ExpectedGreedy(EngineBench.Prompt(9), 12);
        var byStop = bench.Submit(EngineBench.Prompt(9), EngineBench.Greedy with { StopTokenIds = [tokens[3]] });
        var byEos = bench.Submit(EngineBench.Prompt(9), EngineBench.Greedy with { IgnoreEos = false }, eos: [tokens[3]]);
        var ignored = bench.Submit(EngineBench.Prompt(9), EngineBench.Greedy, eos: [tokens[3]]);
        await bench.RunAsync();
        var (stop, eos) = (EngineBench.Collect(byStop), EngineBench.Collect(byEos));
        Assert.Equal(tokens[..4], stop.Tokens);
        Assert.Equal((FinishReason.Stop, (object)tokens[3]), (stop.Finish!.Reason, stop.Finish.StopReason));
        Assert.Equal((FinishReason.Stop, null), (eos.Finish!.Reason, eos.Finish.StopReason));
        Assert.Equal(TestTokenizer.Create().Decode(tokens[..3]), eos.Text);
        Assert.Equal(12, EngineBench.Collect(ignored).Tokens.Length);
    }

    [Fact]
    public async Task Run_ContextFull_EndsByLength()
    {
        var bench = new EngineBench(EngineBench.DefaultLimits with { MaxModelLen = 16 });
        var request = bench.Submit(EngineBench.Prompt(10), EngineBench.Greedy with { MaxTokens = null });
        await bench.RunAsync();
        var result = EngineBench.Collect(request);
        Assert.Equal((6, FinishReason.Length), (result.Tokens.Length, result.Finish!.Reason));
    }

    [Fact]
    public async Task Run_Logprobs_AreOfEveryTokenAndThePrompt()
    {
        var bench = new EngineBench();
        var prompt = EngineBench.Prompt(10);
        bench.Submit(prompt); // its cached blocks must not be used: their logits are gone
        await bench.RunAsync();
        var request = bench.Submit(prompt, EngineBench.Greedy with { MaxTokens = 3, Logprobs = 2, PromptLogprobs = 1 });
        await bench.RunAsync();
        var result = EngineBench.Collect(request);
        Assert.All(result.Outputs, output => Assert.Equal(1, Assert.Single(output.Logprobs).Rank));
        var promptLogprobs = result.Outputs[0].PromptLogprobs!;
        Assert.Equal(10, promptLogprobs.Count);
        Assert.Null(promptLogprobs[0]);
        for (var at = 1; at < 10; at++)
        {
            var logits = bench.Runner.Expected(prompt[..at]);
            Assert.Equal(prompt[at], promptLogprobs[at]!.TokenId);
            Assert.Equal(logits[prompt[at]] - Math.Log(logits.Sum(l => Math.Exp(l))), promptLogprobs[at]!.Logprob, 4);
        }
        Assert.Null(result.Outputs[1].PromptLogprobs);
        Assert.Equal(bench.Runner.ExpectedGreedy(prompt, 3), result.Tokens);
    }

    [Fact]
    public async Task Step_LogitsNotANumber_EndsThatChoiceWithAnError()
    {
        var bench = new EngineBench();
        var request = bench.Submit(EngineBench.Prompt(5));
        bench.Runner.Tamper = logits => logits[3] = float.NaN;
        bench.Step();
        var finish = EngineBench.Collect(request).Finish!;
        Assert.Equal(FinishReason.Error, finish.Reason);
        Assert.NotNull(finish.Error);
        bench.Runner.Tamper = null;
        var next = bench.Submit(EngineBench.Prompt(5));
        await bench.RunAsync();
        Assert.Equal(FinishReason.Length, EngineBench.Collect(next).Finish!.Reason);
    }

    [Fact]
    public async Task Step_ModelFails_EndsTheStepsRequestsAndGoesOn()
    {
        var bench = new EngineBench();
        var broken = bench.Submit(EngineBench.Prompt(5));
        bench.Runner.FailNext = new InvalidOperationException("broken");
        bench.Step();
        Assert.Equal(FinishReason.Error, EngineBench.Collect(broken).Finish!.Reason);
        var next = bench.Submit(EngineBench.Prompt(5));
        await bench.RunAsync();
        Assert.Equal(bench.Runner.ExpectedGreedy(EngineBench.Prompt(5), 12), EngineBench.Collect(next).Tokens);
    }

    [Fact]
    public void Abort_RunningAndWaiting_GivesBlocksBackAtOnce()
    {
        var bench = new EngineBench(EngineBench.DefaultLimits with { MaxNumSeqs = 1 });
        var (running, waiting) = (bench.Submit(EngineBench.Prompt(9)), bench.Submit(EngineBench.Prompt(9, 2)));
        bench.Step();
        bench.Step();
        bench.Core.Abort(running);
        bench.Core.Abort(waiting);
        bench.Core.Abort(waiting);
        Assert.Equal(0, bench.Core.Snapshot().KvUsage);
        Assert.Equal(FinishReason.Abort, EngineBench.Collect(running).Finish!.Reason);
        Assert.Equal(FinishReason.Abort, EngineBench.Collect(waiting).Finish!.Reason);
        Assert.True(waiting.Outputs.Completion.IsCompleted);
        Assert.Equal(2, bench.Core.Snapshot().FinishedAbort);
        Assert.False(bench.Step());
    }

    [Fact]
    public async Task Finish_Timings_ComeFromTheClock()
    {
        var bench = new EngineBench();
        var request = bench.Submit(EngineBench.Prompt(5), EngineBench.Greedy with { MaxTokens = 3 });
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        bench.Step();
        bench.Time.Advance(TimeSpan.FromSeconds(2));
        await bench.RunAsync();
        var timings = EngineBench.Collect(request).Finish!.Timings;
        Assert.Equal((TimeSpan.FromSeconds(1), TimeSpan.Zero, TimeSpan.FromSeconds(2)), (timings.Queued, timings.Prefill, timings.Decode));
    }
}
