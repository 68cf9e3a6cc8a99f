using CsCheck;
using Ferry.Engine.Generation;
using Ferry.Engine.Sampling;
using Xunit;

namespace Ferry.UnitTests.Engine.Sampling;

public sealed class TokenSamplerTests
{
    private const int End = 7;

    [Theory]
    [InlineData(3)]
    [InlineData(70)] // past one vector
    public void Sample_GreedyTie_TakesTheLowestId(int vocabulary)
    {
        var logits = new float[vocabulary];
        (logits[1], logits[2]) = (5, 5);
        Assert.Equal(1, Sample(logits, new SamplingParams { Temperature = 0 }).TokenId);
    }

    [Theory]
    [InlineData(float.NaN, 0)]
    [InlineData(float.NaN, 66)]
    [InlineData(float.PositiveInfinity, 3)]
    public void Sample_LogitsNotFinite_IsAnErrorNotAToken(float bad, int at)
    {
        var logits = new float[70];
        logits[at] = bad;
        var sampled = Sample(logits, new SamplingParams());
        Assert.Equal(-1, sampled.TokenId);
        Assert.Contains("not finite", sampled.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Sample_AllMasked_SaysThatNothingIsLeft()
    {
        var sampled = Sample([float.NegativeInfinity, 1, 2], new SamplingParams { AllowedTokenIds = [0] });
        Assert.Equal(-1, sampled.TokenId);
        Assert.NotNull(sampled.Error);
    }

    [Fact]
    public void Sample_Temperature_FollowsTheSoftmax()
    {
        float[] logits = [0, 1, 2, float.NegativeInfinity];
        var counts = Draw(logits, new SamplingParams { Temperature = 2f }, 20_000);
        var weights = logits.Select(l => Math.Exp(l / 2)).ToArray();
        for (var id = 0; id < 4; id++) { Assert.InRange(counts[id] / 20_000.0, (weights[id] / weights.Sum()) - 0.015, (weights[id] / weights.Sum()) + 0.015); }
    }

    [Fact]
    public void Sample_TopK_KeepsTheLargestAndTheirTies() =>
        Gen.Select(Gen.Int[-3, 3].Array[2, 80], Gen.Int[1, 80], Gen.Int[0, 1000]).Sample((values, k, seed) =>
        {
            float[] logits = [.. values.Select(v => (float)v)];
            var kth = logits.OrderDescending().ElementAt(Math.Min(k, logits.Length) - 1);
            var token = Sample(logits, new SamplingParams { TopK = k, Seed = seed }).TokenId;
            Assert.True(logits[token] >= kth);
        }, iter: 500);

    [Fact]
    public void Sample_TopP_KeepsTheSmallestSetThatReachesIt()
    {
        float[] logits = [MathF.Log(0.5f), MathF.Log(0.2f), MathF.Log(0.2f), MathF.Log(0.1f)];
        Assert.Equal([0], Seen(logits, new SamplingParams { TopP = 0.5f }));
        Assert.Equal([0, 1], Seen(logits, new SamplingParams { TopP = 0.6f })); // of equals the lower id
        Assert.Equal([0, 1, 2], Seen(logits, new SamplingParams { TopP = 0.8f }));
        Assert.Equal([0, 1, 2, 3], Seen(logits, new SamplingParams { TopP = 0.95f }));
        Assert.Equal([0], Seen(logits, new SamplingParams { TopP = 1e-6f }));
    }

    [Fact]
    public void Sample_MinP_DropsWhatIsMuchLessLikelyThanTheBest()
    {
        float[] logits = [MathF.Log(0.5f), MathF.Log(0.3f), MathF.Log(0.04f)];
        Assert.Equal([0, 1], Seen(logits, new SamplingParams { MinP = 0.1f }));
    }

    [Fact]
    public void Sample_Penalties_ChangeTheLogitsAsVllm()
    {
        // Repetition 2 over prompt and output: 4 → 2 and -1 → -2; frequency and presence over the output only.
        var sampler = new TokenSampler(new SamplingParams { Temperature = 0, RepetitionPenalty = 2f }, [0], [], 1, 0);
        Assert.Equal(1, sampler.Sample([4f, 3f, -1f], new Candidates(3)).TokenId); // 2, 3
        Assert.Equal(0, sampler.Sample([4f, 3f, -1f], new Candidates(3)).TokenId); // 2, 1.5

        sampler = new TokenSampler(new SamplingParams { Temperature = 0, FrequencyPenalty = 1f, PresencePenalty = 0.5f }, [1], [], 1, 0);
        Assert.Equal(0, sampler.Sample([3f, 2f], new Candidates(2)).TokenId);
        Assert.Equal(1, sampler.Sample([3f, 2f], new Candidates(2)).TokenId); // 3 - 1.5
        Assert.Equal(0, sampler.Sample([3f, 1f], new Candidates(2)).TokenId); // 1.5, 1 - 1.5
    }

    [Fact]
    public void Sample_BiasAllowedIdsAndMinTokens_DecideWhatMayCome()
    {
        Assert.Equal(2, Sample([5, 4, 3], new SamplingParams { Temperature = 0, LogitBias = new Dictionary<int, float> { [2] = 10 } }).TokenId);
        Assert.Equal(1, Sample([5, 4, 3], new SamplingParams { Temperature = 0, AllowedTokenIds = [1, 2] }).TokenId);
        var sampler = new TokenSampler(new SamplingParams { Temperature = 0, MinTokens = 2 }, [0], [End], 1, 0);
        var candidates = new Candidates(8);
        Assert.Equal(0, sampler.Sample([1, 0, 0, 0, 0, 0, 0, 9], candidates).TokenId);
        Assert.Equal(0, sampler.Sample([1, 0, 0, 0, 0, 0, 0, 9], candidates).TokenId);
        Assert.Equal(End, sampler.Sample([1, 0, 0, 0, 0, 0, 0, 9], candidates).TokenId);
    }

    [Fact]
    public void Sample_SameSeed_GivesTheSameTokensAndAnotherSeedOthers()
    {
        int[] Run(ulong seed, int choice)
        {
            var sampler = new TokenSampler(new SamplingParams(), [0], [], seed, choice);
            return [.. Enumerable.Range(0, 40).Select(_ => sampler.Sample(new float[50], new Candidates(50)).TokenId)];
        }
        Assert.Equal(Run(1, 0), Run(1, 0));
        Assert.NotEqual(Run(1, 0), Run(2, 0));
        Assert.NotEqual(Run(1, 0), Run(1, 1));
    }

    [Fact]
    public void Sample_Logprobs_AreOfTheModelsDistributionWithRankAndTop()
    {
        float[] logits = [MathF.Log(0.1f), MathF.Log(0.6f), MathF.Log(0.3f)];
        var sampled = Sample(logits, new SamplingParams { Temperature = 0, Logprobs = 2, LogitBias = new Dictionary<int, float> { [0] = 50 } });
        Assert.Equal(0, sampled.TokenId);
        Assert.Equal(MathF.Log(0.1f), sampled.Logprobs!.Logprob, 5);
        Assert.Equal(3, sampled.Logprobs.Rank);
        Assert.Equal([1, 2], sampled.Logprobs.Top.Select(t => t.TokenId));
        Assert.Equal(MathF.Log(0.6f), sampled.Logprobs.Top[0].Logprob, 5);
    }

    [Theory]
    [InlineData("n", 0)]
    [InlineData("temperature", -1)]
    [InlineData("top_p", 0)]
    [InlineData("top_k", -2)]
    [InlineData("min_p", 2)]
    [InlineData("max_tokens", 0)]
    [InlineData("logprobs", 21)]
    [InlineData("presence_penalty", 3)]
    [InlineData("repetition_penalty", 0)]
    [InlineData("logit_bias", 100)]
    [InlineData("allowed_token_ids", 100)]
    [InlineData("stop_token_ids", -1)]
    public void Check_ParameterOutOfRange_IsNamed(string name, int value)
    {
        var sampling = name switch
        {
            "n" => new SamplingParams { N = value },
            "temperature" => new SamplingParams { Temperature = value },
            "top_p" => new SamplingParams { TopP = value },
            "top_k" => new SamplingParams { TopK = value },
            "min_p" => new SamplingParams { MinP = value },
            "max_tokens" => new SamplingParams { MaxTokens = value },
            "logprobs" => new SamplingParams { Logprobs = value },
            "presence_penalty" => new SamplingParams { PresencePenalty = value },
            "repetition_penalty" => new SamplingParams { RepetitionPenalty = value },
            "logit_bias" => new SamplingParams { LogitBias = new Dictionary<int, float> { [value] = 1 } },
            "allowed_token_ids" => new SamplingParams { AllowedTokenIds = [value] },
            _ => new SamplingParams { StopTokenIds = [value] },
        };
        Assert.StartsWith(name, Assert.Throws<ArgumentException>(() => SamplingValidator.Check(sampling, 100)).Message, StringComparison.Ordinal);
    }

    private static SampledToken Sample(float[] logits, SamplingParams sampling) =>
        new TokenSampler(sampling, [], [], (ulong)(sampling.Seed ?? 1), 0).Sample([.. logits], new Candidates(logits.Length));

    private static int[] Draw(float[] logits, SamplingParams sampling, int count)
    {
        var sampler = new TokenSampler(sampling, [], [], 5, 0);
        var candidates = new Candidates(logits.Length);
        var counts = new int[logits.Length];
        for (var i = 0; i < count; i++) { counts[sampler.Sample([.. logits], candidates).TokenId]++; }
        return counts;
    }

    private static IEnumerable<int> Seen(float[] logits, SamplingParams sampling) =>
        Draw(logits, sampling, 3_000).Select((count, id) => (count, id)).Where(p => p.count > 0).Select(p => p.id);
}
