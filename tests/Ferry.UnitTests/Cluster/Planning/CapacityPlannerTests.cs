using CsCheck;
using Ferry.Cluster.Planning;
using Ferry.Cluster.Spec;
using Xunit;

namespace Ferry.UnitTests.Cluster.Planning;

/// <summary>The two nodes of the guide against figures that were computed by hand (docs/planning.md, "Checked against").</summary>
public sealed class CapacityPlannerTests
{
    private const double GiB = 1 << 30;

    private static readonly CapacityPlan Plan = CapacityPlanner.Plan(ClusterFiles.Read(ClusterFiles.Pair));
    private static readonly PoolFigures Prefill = Plan.Pools[0];
    private static readonly PoolFigures Decode = Plan.Pools[1];

    [Fact]
    public void Model_Llama70B_Has320KibOfKvATokenAnd141GbOfWeights()
    {
        Assert.Equal((327_680, 8192 * 327_680L), (Plan.KvBytesPerToken, Plan.PromptKvBytes));
        Assert.Equal(141.1, Plan.WeightBytes / 1e9, 0.05);
        Assert.Equal(32.9, Prefill.WeightBytesPerRank / GiB, 0.05);
        Assert.Equal((80 << 20, 128), (Plan.ChunkBytes, Plan.PromptObjects));
    }

    [Fact]
    public void Model_Fp8Kv_HasHalf() =>
        Assert.Equal(163_840, ModelFigures.Of(new ModelSpec { Id = "meta-llama/Llama-3.1-70B", KvDType = KvCacheDType.Fp8 }).KvBytesPerToken);

    [Theory]
    [InlineData(4, 81_920)]
    [InlineData(8, 40_960)]
    [InlineData(16, 40_960)]
    public void Model_RanksAboveKvHeads_RepeatThem(int ranks, long bytes) =>
        Assert.Equal(bytes, ModelFigures.Of(new ModelSpec { Id = "meta-llama/Llama-3.1-70B" }).KvBytesPerTokenAndRank(ranks));

    [Fact]
    public void Mi300x_UtilizationOfAllMemory_Leaves134GibOfKvFor214Prompts()
    {
        Assert.Equal(134, Prefill.KvBytesPerRank / GiB, 0.5);
        Assert.Equal(1.75e6, Prefill.KvTokens, 0.01e6);
        Assert.Equal(214, Prefill.FullLengthSequences, 0.5);
        Assert.Equal(320, Prefill.KvBytesPerRankAtLimit / GiB, 0.001);
        Assert.Equal(3400, Prefill.AverageTokensAtLimit, 50.0);
        Assert.Equal(536, Prefill.NixlHostBytes / GiB, 1.0);
    }

    [Fact]
    public void Gaudi3_UtilizationOfWhatWeightsLeave_Leaves67GibOfKvFor108Prompts()
    {
        Assert.Equal(67, Decode.KvBytesPerRank / GiB, 0.5);
        Assert.Equal(0.88e6, Decode.KvTokens, 0.005e6);
        Assert.Equal(108, Decode.FullLengthSequences, 0.5);
        Assert.Equal(160, Decode.KvBytesPerRankAtLimit / GiB, 0.001);
        Assert.Equal(3450, Decode.AverageTokensAtLimit, 10.0);
        Assert.Equal(270, Decode.NixlHostBytes / GiB, 1.0);
    }

    [Fact]
    public void Prefill_OnFourMi300xAt40Percent_Takes600MsAPromptAndMakes4500MbOfKvASecond()
    {
        Assert.Equal(0.6, Prefill.PrefillSeconds, 0.01);
        Assert.Equal(14_000, Prefill.PrefillTokensPerSecond, 300.0);
        Assert.Equal(4.5e9, Prefill.KvBytesPerSecond, 0.05e9);
        Assert.Equal(420_000, Prefill.LeasedTokens, 10_000.0);
        Assert.Equal(0.24, Prefill.LeasedTokens / Prefill.KvTokens, 0.005);
    }

    [Fact]
    public void Decode_HundredSequencesOf4096TokensOnFourGaudi3_ReadsWeightsAndKvInAbout9MsEach()
    {
        var spec = ClusterFiles.Read(ClusterFiles.Pair);
        var node = new NodeModel(spec, spec.Pools[1], ModelFigures.Of(spec.Model));

        Assert.Equal(9.5e-3, node.WeightStepSeconds, 0.05e-3);
        Assert.Equal(9e-3, node.StepSeconds(100, 100 * 4096) - node.WeightStepSeconds, 0.1e-3);
    }

    [Fact]
    public void Descriptors_OfAPrompt_AreLayersTimesBlocksAndTwiceThatWhereKAndVLieApart() =>
        Assert.Equal((40_960, 10_240), (Prefill.DescriptorsPerRank, Decode.DescriptorsPerRank));

    [Theory]
    [InlineData("prefill", "memory", 61_035, 7.5)]
    [InlineData("decode", "memory", 45_776, 5.6)]
    [InlineData("prefill", "disk", 305_175, 37)]
    [InlineData("decode", "disk", 152_588, 18.6)]
    public void Tiers_SizesOfTheGuideAsOnePool_HoldFewPrompts(string pool, string tier, long tokens, double prompts)
    {
        var figures = Plan.Tiers.Single(known => known.Pool == pool && known.Tier == tier);

        Assert.Equal(tokens, figures.Tokens, 1.0);
        Assert.Equal(prompts, figures.Prompts, 0.3);
    }

    [Theory]
    [InlineData(20, 4, 262_144)]
    [InlineData(15, 4, 196_608)]
    [InlineData(100, 4, 1_310_720)]
    [InlineData(50, 4, 655_360)]
    public void Tiers_SizesOfTheGuideForEachRank_HoldFourTimesAsMuch(int gib, int ranks, long tokens) =>
        Assert.Equal(tokens, gib * ranks * (1L << 30) / Plan.KvBytesPerToken);

    [Fact]
    public void Tiers_SlowerThanKvIsMade_LoseAgainstComputing()
    {
        var disk = Plan.Tiers.Single(tier => tier.Pool == "prefill" && tier.Tier == "disk");
        var memory = Plan.Tiers.Single(tier => tier.Pool == "prefill" && tier.Tier == "memory");

        Assert.Equal(4.5e9, disk.BreakEvenBytesPerSecond, 0.05e9);
        Assert.False(disk.LoadingPays);
        Assert.Null(disk.BreakEvenTokens);
        Assert.True(memory.LoadingPays);
    }

    [Fact]
    public void Tiers_BucketOfOneGbASecond_TakesLongerThanThePrompt()
    {
        var plan = CapacityPlanner.Plan(ClusterFiles.Read(ClusterFiles.Pair + "\nstorage: {s3: {endpoint: 'http://s3', bucket: kvs}}"));
        var s3 = plan.Tiers.Single(tier => tier.Pool == "prefill" && tier.Tier == "s3");

        Assert.Equal(2.7, s3.LoadSeconds, 0.05);
        Assert.False(s3.LoadingPays);
    }

    [Theory]
    [InlineData(100e9, 27)]
    [InlineData(50e9, 54)]
    [InlineData(25e9, 107)]
    [InlineData(12.5e9, 215)]
    [InlineData(10e9, 268)]
    [InlineData(5e9, 537)]
    [InlineData(1e9, 2684)]
    public void Transfers_OfOnePrompt_TakeItsBytesOverTheRate(double rate, double milliseconds) =>
        Assert.Equal(milliseconds, Plan.Transfers.Single(transfer => transfer.BytesPerSecond == rate).WireSeconds * 1e3, 1.0);

    [Fact]
    public void Transfers_HostBuffers_AddTwelveMillisecondsASide()
    {
        var plan = CapacityPlanner.Plan(ClusterFiles.Read(ClusterFiles.Pair + "\nhandover: {kind: nixl}"));

        Assert.Equal(24e-3, plan.Transfers[0].StagingSeconds, 1e-3);
        Assert.Equal(40_960 * 3.09e-6, plan.Transfers[0].DescriptorSeconds, 0.5e-3);
    }

    [Fact]
    public void Shared_LinkWithOthers_HasTheMeanOfProcessorSharingAndGrowsWithThem()
    {
        var shared = Plan.Transfers[0].Shared;

        Assert.Equal((0.5, 0.8), (shared[0].Utilization, shared[1].Utilization));
        Assert.True(shared[0].MedianSeconds > Plan.Transfers[0].WireSeconds);
        Assert.All(shared.Zip(shared.Skip(1)), pair => Assert.True(pair.First.MedianSeconds < pair.Second.MedianSeconds && pair.First.TailSeconds < pair.Second.TailSeconds));
        Assert.All(shared, row => Assert.True(row.TailSeconds > row.MedianSeconds));
    }

    [Fact]
    public void Capacity_FullBatchesOfFullLength_AreSaidNotToFit()
    {
        Assert.Contains(Plan.Capacity, verdict => verdict.Text.Contains("512 of full length would need 320 GiB a rank", StringComparison.Ordinal));
        Assert.DoesNotContain(Plan.Capacity, verdict => verdict.IsWarning);
    }

    [Fact]
    public void Capacity_WeightsThatDoNotFit_AreAWarningAndNoFigures()
    {
        var plan = CapacityPlanner.Plan(ClusterFiles.Read(ClusterFiles.Pair.Replace("tensorParallel: 4", "tensorParallel: 1", StringComparison.Ordinal)));

        Assert.Contains(plan.Capacity, verdict => verdict.IsWarning && verdict.Text.Contains("leave no memory for KV on gaudi3", StringComparison.Ordinal));
        Assert.Equal(0, plan.Pools[1].KvTokens);
    }

    [Fact]
    public void Balance_OneNodeEach_NamesTheBottleneckAndWhatBothTogetherWouldCarry()
    {
        var balance = Plan.Balance;

        Assert.Equal(1 / Prefill.PrefillSeconds, balance.PrefillRequestsPerSecond, 1e-9);
        Assert.Equal(Decode.DecodeTokensPerSecond / 256, balance.DecodeRequestsPerSecond, 1e-6);
        Assert.Equal(1e9 / Plan.PromptKvBytes, balance.LinkRequestsPerSecond!.Value, 1e-9);
        Assert.Equal(("network", balance.LinkRequestsPerSecond), (balance.Bottleneck, balance.RequestsPerSecond));
        Assert.Contains(balance.Verdicts, verdict => verdict.IsWarning && verdict.Text.Contains("does not pay", StringComparison.Ordinal));
    }

    [Fact]
    public void Balance_FastNetwork_IsLimitedByPrefill()
    {
        var balance = CapacityPlanner.Plan(ClusterFiles.Read(ClusterFiles.Pair + "\ntransport: {kind: rdma}")).Balance;

        Assert.Equal("prefill", balance.Bottleneck);
    }

    [Fact]
    public void Cost_PricesOfBothPools_AreDividedByTheTokensOfAnHour()
    {
        var plan = CapacityPlanner.Plan(ClusterFiles.Read(ClusterFiles.Pair + "\ntransport: {kind: rdma}\nplan: {prices: {prefill: 10, decode: 5}, requestsPerSecond: 1}"));

        Assert.Equal(15, plan.Cost!.PerHour);
        Assert.Equal(15 / (3600.0 * (8192 + 256)) * 1e6, plan.Cost.PerMillionTokens, 1e-9);
        Assert.Equal(15 / (3600.0 * 256) * 1e6, plan.Cost.PerMillionOutputTokens, 1e-9);
    }

    [Fact]
    public void Cost_PriceOfOnePoolMissing_IsNone() =>
        Assert.Null(CapacityPlanner.Plan(ClusterFiles.Read(ClusterFiles.Pair + "\nplan: {prices: {prefill: 10}}")).Cost);

    [Fact]
    public void Plan_UnknownModel_SaysWhichKeyIsNeeded() =>
        Assert.Contains("model.shape", Assert.Throws<PlanException>(() => CapacityPlanner.Plan(ClusterFiles.Read(ClusterFiles.Pair.Replace("meta-llama/Llama-3.1-70B-Instruct", "acme/own", StringComparison.Ordinal)))).Message, StringComparison.Ordinal);

    [Fact]
    public void Transfers_FasterLink_IsNeverSlowerInAnyFigure() =>
        Gen.Select(Gen.Double[1e6, 1e12], Gen.Double[1, 100], Gen.Int[1, 200_000], Gen.Enum<HandoverKind>()).Sample(
            (rate, factor, tokens, kind) =>
            {
                CapacityPlan At(double bytesPerSecond)
                {
                    var spec = ClusterFiles.Read(ClusterFiles.Pair);
                    return CapacityPlanner.Plan(spec with { Transport = spec.Transport with { BytesPerSecond = (long)bytesPerSecond }, Handover = new() { Kind = kind }, Plan = spec.Plan with { PromptTokens = tokens } });
                }
                var (slow, fast) = (At(rate), At(Math.Min(1e13, rate * factor)));
                return fast.Transfers[0].Seconds <= slow.Transfers[0].Seconds
                    && fast.Transfers[0].Shared.Zip(slow.Transfers[0].Shared).All(pair => pair.First.TailSeconds <= pair.Second.TailSeconds && pair.First.MedianSeconds <= pair.Second.MedianSeconds)
                    && fast.Balance.RequestsPerSecond >= slow.Balance.RequestsPerSecond;
            },
            iter: 20);

    [Fact]
    public void Tiers_FasterTier_IsNeverLoadedLater() =>
        Gen.Select(Gen.Double[1e6, 1e11], Gen.Double[1, 1000], Gen.Double[0, 1000]).Sample(
            (rate, factor, latency) =>
            {
                double? BreakEven(double bytesPerSecond)
                {
                    var spec = ClusterFiles.Read(ClusterFiles.Pair + "\nstorage: {directory: {path: /kv}}");
                    var plan = CapacityPlanner.Plan(spec with { Plan = spec.Plan with { StorageBytesPerSecond = (long)bytesPerSecond, StorageLatencyMs = latency } });
                    return plan.Tiers.First(tier => tier.Tier == "directory").BreakEvenTokens;
                }
                return (BreakEven(rate * factor) ?? double.PositiveInfinity) <= (BreakEven(rate) ?? double.PositiveInfinity);
            },
            iter: 20);
}
