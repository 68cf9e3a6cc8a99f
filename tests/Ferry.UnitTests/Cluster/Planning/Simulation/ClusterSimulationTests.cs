using System.Text.Json;
using CsCheck;
using Ferry.Cluster.Planning;
using Ferry.Cluster.Planning.Simulation;
using Ferry.Cluster.Spec;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.Cluster.Planning.Simulation;

public sealed class ClusterSimulationTests
{
    private static Trace TraceOf(params (double Ms, int Input, int Output, int[] Blocks)[] requests) => TraceFile.Read(
        new StringReader(string.Join('\n', requests.Select(request => JsonSerializer.Serialize(new { timestamp = request.Ms, input_length = request.Input, output_length = request.Output, hash_ids = request.Blocks })))), "test");

    /// <summary>Conversations whose turns repeat what was said before, at random times.</summary>
    private static Trace Conversations(int seed, int count = 300)
    {
        var random = new Random(seed);
        var next = 1;
        var turns = new Dictionary<int, List<int>>();
        return TraceOf([.. Enumerable.Range(0, count).Select(index =>
        {
            var blocks = turns.TryGetValue(random.Next(40), out var known) ? known : turns[random.Next(40)] = [0];
            blocks.AddRange(Enumerable.Range(0, 1 + random.Next(3)).Select(_ => next++));
            return (index * 50.0 * random.NextDouble(), (blocks.Count * 512) - random.Next(500), 1 + random.Next(300), blocks.ToArray());
        })]);
    }

    private static ClusterSpec Spec(string more = "", int prefill = 1, int decode = 1)
    {
        var spec = ClusterFiles.Read(ClusterFiles.Pair + "\n" + more);
        IReadOnlyList<NodeSpec> Nodes(string name, int count) => [.. Enumerable.Range(0, count).Select(index => new NodeSpec { Name = $"{name}-{index}", Address = $"{name}{index}" })];
        return spec with { Model = spec.Model with { MaxLength = 131_072 }, Pools = [spec.Pools[0] with { Nodes = Nodes("p", prefill) }, spec.Pools[1] with { Nodes = Nodes("d", decode) }] };
    }

    [Fact]
    public void Run_OneRequest_TakesPrefillPlusHandOverPlusSteps()
    {
        var spec = Spec("transport: {rate: 10GB/s}");
        var plan = CapacityPlanner.Plan(spec);
        var node = new NodeModel(spec, spec.Pools[1], ModelFigures.Of(spec.Model));

        var result = ClusterSimulation.Run(spec, TraceOf((0, 8192, 11, [.. Enumerable.Range(0, 16)])), new());

        var step = node.StepSeconds(1, 8192);
        Assert.Equal(plan.Pools[0].PrefillSeconds + plan.Transfers[0].Seconds + step, result.FirstToken.Median, 1e-9);
        Assert.Equal(step, result.PerToken.Median, 1e-9);
        Assert.Equal(plan.Transfers[0].Seconds, result.HandOver.Median, 1e-9);
        Assert.Equal((plan.PromptKvBytes, 1, 0), ((long)result.MovedBytes, result.Served, result.Refused));
    }

    [Fact]
    public void Run_SamePromptAgain_IsTakenFromTheDeviceAndNotMovedAgain()
    {
        var result = ClusterSimulation.Run(Spec(), TraceOf((0, 8192, 10, [.. Enumerable.Range(0, 16)]), (60_000, 8192, 10, [.. Enumerable.Range(0, 16)])), new());

        Assert.Equal(8191, result.Tiers[0].Tokens);
        Assert.Equal(8193, result.Tiers[^1].Tokens);
        Assert.Equal(8192 * 327_680.0, result.MovedBytes);
    }

    [Fact]
    public void Run_DeviceCacheOffAndDiskSlow_ComputesWhatWouldLoadSlower()
    {
        var slow = Spec("plan: {diskRate: 1GB/s, memoryRate: 1GB/s}");
        slow = slow with { Pools = [slow.Pools[0] with { Engine = new() { PrefixCaching = false } }, slow.Pools[1]] };
        var trace = TraceOf((0, 8192, 10, [.. Enumerable.Range(0, 16)]), (60_000, 8192, 10, [.. Enumerable.Range(0, 16)]));

        Assert.Equal(0, ClusterSimulation.Run(slow, trace, new()).Tiers[1].Tokens);
        Assert.Equal(8191, ClusterSimulation.Run(slow with { Plan = slow.Plan with { MemoryBytesPerSecond = 100_000_000_000 } }, trace, new()).Tiers[1].Tokens);
    }

    [Fact]
    public void Run_SecondPrefillNode_FindsInTheBucketWhatTheFirstComputed()
    {
        var spec = Spec("storage: {s3: {endpoint: 'http://s3', bucket: kvs}}\nplan: {storageRate: 50GB/s}\nrouter: {policy: round-robin}", prefill: 2);

        var result = ClusterSimulation.Run(spec, TraceOf((0, 8192, 10, [.. Enumerable.Range(0, 16)]), (60_000, 8192, 10, [.. Enumerable.Range(0, 16)])), new());

        Assert.Equal(("s3", 8191), (result.Tiers[3].Tier, result.Tiers[3].Tokens));
    }

    [Fact]
    public void Run_RequestLongerThanTheModel_IsRefusedAndCounted()
    {
        var result = ClusterSimulation.Run(Spec() with { Model = Spec().Model with { MaxLength = 8192 } }, TraceOf((0, 8192, 10, [1]), (1, 100, 10, [2])), new());

        Assert.Equal((1, 1), (result.Refused, result.Served));
    }

    [Fact]
    public void Run_ShortPrompts_AreComputedWhereTheyAreDecoded()
    {
        var result = ClusterSimulation.Run(Spec("router: {minPromptTokens: 1000}"), TraceOf((0, 999, 10, [1]), (10_000, 1000, 10, [2])), new());

        Assert.Equal((1, 2), (result.HandedOver, result.Served));
    }

    [Theory]
    [InlineData(RouterPolicy.RoundRobin)]
    [InlineData(RouterPolicy.LeastLoaded)]
    [InlineData(RouterPolicy.PowerOfTwo)]
    [InlineData(RouterPolicy.SessionAffinity)]
    [InlineData(RouterPolicy.PrefixAware)]
    [InlineData(RouterPolicy.CostBased)]
    public void Run_AnyWorkload_LosesNoTokenAndNoByte(RouterPolicy policy) =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 5], Gen.Int[0, 1_000_000], Gen.Bool).Sample(
            (prefill, decode, seed, hasStorage) =>
            {
                var spec = Spec(hasStorage ? "storage: {directory: {path: /kv, size: 100GiB}}" : "", prefill, decode);
                var result = ClusterSimulation.Run(spec with { Router = spec.Router with { Policy = policy } }, Conversations(seed), new() { Seed = seed });

                Assert.Equal(result.Requests, result.Served + result.Refused);
                Assert.Equal(result.PromptTokens, result.Tiers.Sum(tier => tier.Tokens));
                Assert.Equal(result.MovedBytes, result.SentBytes, 1e-9 * result.MovedBytes);
                Assert.Equal(result.MovedBytes, result.ReceivedBytes, 1e-9 * result.MovedBytes);
                Assert.All(result.Pools, pool => Assert.True(pool is { Prefill: >= 0 and <= 1.0001, Decode: >= 0 and <= 1.0001, Outgoing: >= 0 and <= 1.0001, Incoming: >= 0 and <= 1.0001 }));
                Assert.True(result.FirstToken.Median <= result.FirstToken.P99 && result.FirstToken.P99 <= result.FirstToken.Maximum);
            },
            iter: 10);

    [Fact]
    public void Run_FasterNetwork_NeverHandsOverLater() =>
        Gen.Select(Gen.Int[0, 1_000_000], Gen.Double[1e8, 1e11], Gen.Double[1, 50]).Sample(
            (seed, rate, factor) =>
            {
                var trace = Conversations(seed, 100);
                SimulationResult At(double bytesPerSecond)
                {
                    var spec = Spec("router: {policy: round-robin}", prefill: 3, decode: 3);
                    return ClusterSimulation.Run(spec with { Transport = spec.Transport with { BytesPerSecond = (long)bytesPerSecond } }, trace, new());
                }
                var (slow, fast) = (At(rate), At(rate * factor));
                return fast.HandOver.Mean <= slow.HandOver.Mean * (1 + 1e-9) && fast.HandOver.Maximum <= slow.HandOver.Maximum * (1 + 1e-9);
            },
            iter: 20);

    [Fact]
    public void Run_SameSeed_GivesTheSameFiguresToTheLastDigit()
    {
        var spec = Spec("router: {policy: power-of-two}", prefill: 4, decode: 3);

        Assert.Equal(
            JsonSerializer.Serialize(ClusterSimulation.Run(spec, Conversations(5), new() { Seed = 3 })),
            JsonSerializer.Serialize(ClusterSimulation.Run(spec, Conversations(5), new() { Seed = 3 })));
    }

    [Fact]
    public void Run_HundredNodes_ServesEverybodyAndSpreadsTheLoad()
    {
        var result = ClusterSimulation.Run(Spec("transport: {rate: 50GB/s}", prefill: 60, decode: 40), Conversations(1, 2000), new() { Speed = 4 });

        Assert.Equal(2000, result.Served);
    }

    [Fact]
    public void Run_TooManyNodes_IsRefusedWithTheLimit() =>
        Assert.Contains("at most 128", Assert.Throws<PlanException>(() => ClusterSimulation.Run(Spec(prefill: 100, decode: 29), Conversations(1), new())).Message, StringComparison.Ordinal);

    [Fact]
    public void Run_NodesThatDoBoth_HandNothingOver()
    {
        var pair = ClusterFiles.Read(ClusterFiles.Pair.Replace("role: prefill", "role: both", StringComparison.Ordinal).Replace("role: decode", "role: both", StringComparison.Ordinal));

        var result = ClusterSimulation.Run(pair with { Model = pair.Model with { MaxLength = 131_072 } }, Conversations(2), new());

        Assert.Equal((0, 0.0, 300), (result.HandedOver, result.MovedBytes, result.Served));
    }

    [Fact]
    public void Run_ConversationTraceOnOneNode_HitsItsMemoryTierAsOneCacheOfThatSizeWould()
    {
        var path = ConversationTrace.TryFind();
        Assert.SkipWhen(path is null, $"The conversation trace is not here; {ConversationTrace.Variable} names the directory that has conversation_trace.jsonl.");
        var trace = TraceFile.Read(path!);
        var spec = Spec("plan: {memoryRate: 10TB/s}\ntransport: {rate: 10TB/s}");
        // One node that finishes each prompt before the next comes, whose only tier is memory of 10,000 blocks, and to which loading always pays.
        spec = spec with
        {
            Model = spec.Model with { MaxLength = 1_000_000 },
            Profiles = new Dictionary<string, AcceleratorProfile> { ["mi300x"] = AcceleratorProfiles.Mi300x with { HostBytesPerSecond = 10_000_000_000_000 }, ["gaudi3"] = AcceleratorProfiles.Gaudi3 },
            Pools =
            [
                spec.Pools[0] with { Engine = new() { PrefixCaching = false }, Cache = new() { MemoryBytes = 10_000L * 512 * 327_680, DiskBytes = 0 } },
                spec.Pools[1],
            ],
        };

        var result = ClusterSimulation.Run(spec, trace, new() { Speed = 1e-3 });

        Assert.Equal(HitCurve.Ratio(trace, 10_000, CachePolicy.Lru) * trace.BlockCount * 512, result.Tiers[1].Tokens, 0.02 * result.Tiers[1].Tokens);
        Assert.Equal(0.2112, result.Tiers[1].Tokens / (double)result.PromptTokens, 0.01);
    }
}
