using Ferry.Cluster.Rendering;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Rendering.Planning;
using Ferry.Cluster.Spec;
using Xunit;

namespace Ferry.UnitTests.Cluster.Rendering;

/// <summary>What is decided before anything is printed.</summary>
public sealed class PlannerTests
{
    [Fact]
    public void Plan_TwoVendors_GivesEachEngineItsNodesExchangeAndEachExchangeTheOthers()
    {
        var plan = Plan("exchange");
        var nodes = plan.Nodes.Where(node => node.Pool is not null).ToList();
        Assert.Equal(["prefill-0", "prefill-1", "decode-0"], nodes.Select(node => node.Name));
        foreach (var node in nodes)
        {
            Assert.Equal([PlannedKind.Exchange, PlannedKind.Engine], node.Processes.Select(process => process.Kind));
            var (exchange, engine) = (node.Processes[0], node.Processes[1]);
            Assert.Equal($"@{node.Address}:6390", Variable(engine, "LMCACHE_REMOTE_URL").Rest);
            Assert.Contains($"{node.Address}:6390", exchange.Arguments.Single(argument => argument.Words[0] == "--resp").Words);
            var peers = exchange.Arguments.Single(argument => argument.Words[0] == "--peer").Words.Skip(1).ToList();
            Assert.Equal(nodes.Where(other => other != node).Select(other => $"{other.Address}:6390").Order(StringComparer.Ordinal), peers.Order(StringComparer.Ordinal));
            Assert.Contains("\"kv_role\":\"kv_both\"", string.Join(' ', engine.Arguments.SelectMany(argument => argument.Words)), StringComparison.Ordinal);
        }
        Assert.Equal("10.0.1.21:6390", nodes[0].Processes[0].Arguments.Single(argument => argument.Words[0] == "--peer").Words[1]); // The other side first.
        Assert.Single(nodes.Select(node => Variable(node.Processes[1], "PYTHONHASHSEED").Text).Distinct());
    }

    [Fact]
    public void Plan_ForKubernetes_PutsEachEngineOnTheMachineOfItsExchangeWhosePodsNameEachOther()
    {
        var plan = ClusterPlanner.Plan(RenderCases.Request("exchange", RenderTarget.Kubernetes));
        Assert.Equal(["prefill-exchange", "prefill", "decode-exchange", "decode", "router"], plan.Processes.Select(process => process.Name));
        Assert.Equal([2, 2, 1, 1, 1], plan.Nodes.Select(node => node.Replicas));
        Assert.Equal(["prefill-exchange", "decode-exchange"], plan.Processes.Select(process => process.Beside).OfType<string>());
        foreach (var exchange in plan.Processes.Where(process => process.Kind == PlannedKind.Exchange))
        {
            Assert.Equal(
                ["decode-exchange-0.decode-exchange-pods:6390", "prefill-exchange-0.prefill-exchange-pods:6390", "prefill-exchange-1.prefill-exchange-pods:6390"],
                exchange.Arguments.Single(argument => argument.Words[0] == "--peer").Words.Skip(1).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void Plan_MoreExchangesThanOneAsks_SaysWhatIsNotFound()
    {
        var spec = RenderCases.Spec("exchange");
        var many = Enumerable.Range(0, 70).Select(index => spec.Pools[1].Nodes[0] with { Name = $"decode-{index}", Address = $"10.0.1.{index + 21}" });
        spec = spec with { Pools = [spec.Pools[0], spec.Pools[1] with { Nodes = [.. many] }] };
        var plan = ClusterPlanner.Plan(new RenderRequest { Spec = spec, Target = RenderTarget.Docker });
        Assert.Contains(plan.Warnings, warning => warning.Contains("72 nodes", StringComparison.Ordinal) && warning.Contains("storage", StringComparison.Ordinal));
        Assert.All(plan.Processes.Where(process => process.Kind == PlannedKind.Exchange), exchange => Assert.Equal(65, exchange.Arguments.Single(argument => argument.Words[0] == "--peer").Words.Count));
    }

    [Fact]
    public void Plan_OneNode_HasNoPeers()
    {
        var spec = RenderCases.Spec("exchange");
        spec = spec with { Pools = [spec.Pools[1] with { Role = PoolRole.Both }] };
        foreach (var target in Enum.GetValues<RenderTarget>())
        {
            var plan = ClusterPlanner.Plan(new RenderRequest { Spec = spec, Target = target });
            Assert.DoesNotContain(plan.Processes.SelectMany(process => process.Arguments), argument => argument.Words[0] == "--peer");
        }
    }

    [Fact]
    public void Plan_AnyNodeWithAnExchange_GivesNoMoreMemoryThanTheNodeHas()
    {
        var spec = RenderCases.Spec("exchange");
        foreach (var node in Plan("exchange").Nodes.Where(node => node.Pool is not null))
        {
            var pool = spec.Pools.Single(pool => pool.Name == node.Pool);
            var words = node.Processes[0].Arguments.SelectMany(argument => argument.Words).ToList();
            Assert.True(Ferry.Kv.Text.ByteSize.TryParse(words[words.IndexOf("--memory") + 1], 1, out var exchange));
            var ranks = decimal.Parse(Variable(node.Processes[1], "LMCACHE_MAX_LOCAL_CPU_SIZE").Text, System.Globalization.CultureInfo.InvariantCulture) * pool.TensorParallel * (1L << 30);
            Assert.Equal(pool.Cache!.MemoryBytes, exchange + (long)ranks);
        }
    }

    [Fact]
    public void Plan_ExchangesOfOneMachine_HaveDisksOfTheirOwn()
    {
        var spec = RenderCases.Spec("exchange-s3");
        spec = spec with { Pools = [.. spec.Pools.Select(pool => pool with { Nodes = [.. pool.Nodes.Select((node, index) => node with { Address = "10.9.9.9", Port = pool.Port + (10 * index) })] })] };
        var plan = ClusterPlanner.Plan(new RenderRequest { Spec = spec, Target = RenderTarget.Docker });
        var disks = plan.Processes.Where(process => process.Kind == PlannedKind.Exchange).SelectMany(process => process.Mounts).Select(mount => mount.HostPath).ToList();
        Assert.Equal(2, disks.Distinct().Count());
    }

    [Fact]
    public void Plan_TwoVendorsByNixl_WarnsThatItCannotWork()
    {
        var plan = ClusterPlanner.Plan(new RenderRequest { Spec = RenderCases.Spec("exchange") with { Pools = Equal(RenderCases.Spec("exchange")) }, Target = RenderTarget.Docker, Handover = HandoverKind.Nixl });
        Assert.Contains(plan.Warnings, warning => warning.Contains("different vendors", StringComparison.Ordinal));
        Assert.Contains(plan.Warnings, warning => warning.Contains("heartbeats", StringComparison.Ordinal));
        Assert.All(plan.Processes.Where(process => process.Kind == PlannedKind.Engine), engine => Assert.Equal(
            plan.Nodes.Single(node => node.Processes.Contains(engine)).Address, Variable(engine, "VLLM_NIXL_SIDE_CHANNEL_HOST").Text));
    }

    [Fact]
    public void Plan_LmcachePdWithUnequalRanks_IsRefusedWithTheWayOut()
    {
        var refusal = Assert.Throws<RenderException>(() => Plan("exchange", HandoverKind.LmcachePd));
        Assert.Contains(refusal.Errors, error => error.Contains("equal tensorParallel", StringComparison.Ordinal) && error.Contains("prefill 4, decode 8", StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_NodesOnOneMachine_GetPortsOfTheirOwn()
    {
        var spec = RenderCases.Spec("exchange");
        spec = spec with
        {
            Pools = [.. spec.Pools.Select(pool => pool with { Nodes = [.. pool.Nodes.Select((node, index) => node with { Address = "10.9.9.9", Port = pool.Port + (10 * index) })] })],
        };
        var plan = ClusterPlanner.Plan(new RenderRequest { Spec = spec, Target = RenderTarget.Docker, Engine = EngineKind.Ferry });
        var ports = plan.Processes.SelectMany(process => process.Ports).Select(port => port.Number).ToList();
        Assert.Equal(ports.Count, ports.Distinct().Count());
    }

    [Fact]
    public void Plan_PushesBetweenVllmEngines_IsRefusedWithTheWayOut()
    {
        var spec = RenderCases.Spec("exchange");
        spec = spec with { Handover = spec.Handover with { Mode = HandoverMode.Push } };
        var refusal = Assert.Throws<RenderException>(() => ClusterPlanner.Plan(new RenderRequest { Spec = spec, Target = RenderTarget.Docker }));
        Assert.Contains("only ferry serve's own exchange pushes", Assert.Single(refusal.Errors), StringComparison.Ordinal);
        Assert.Contains("as soon as it is computed", ClusterPlanner.Plan(new RenderRequest { Spec = spec, Target = RenderTarget.Docker, Engine = EngineKind.Ferry }).Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_NoShapeAndUnequalRanks_IsRefused()
    {
        var spec = RenderCases.Spec("exchange");
        spec = spec with { Model = spec.Model with { Id = "nobody/unknown-7b" } };
        var refusal = Assert.Throws<RenderException>(() => ClusterPlanner.Plan(new RenderRequest { Spec = spec, Target = RenderTarget.Docker }));
        Assert.Contains("model.shape", Assert.Single(refusal.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_SmallCacheMemory_NamesTheSizeThatSuffices()
    {
        var spec = RenderCases.Spec("exchange");
        spec = spec with { Pools = [.. spec.Pools.Select(pool => pool with { Cache = new PoolCacheSpec { MemoryBytes = 2L << 30 } })] };
        Assert.Contains(ClusterPlanner.Plan(new RenderRequest { Spec = spec, Target = RenderTarget.Docker }).Warnings, warning => warning.Contains("Raise cache.memory", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(RenderCases.Everything), MemberType = typeof(RenderCases))]
    public void Render_AnyProfile_HoldsNoPlaceholderAndNoSecretValue(string name, RenderTarget target)
    {
        var rendered = RenderCases.Render(name, target);
        Assert.Empty(rendered.Placeholders);
        // A password in a URL would stand between ':' and '@'.
        Assert.All(rendered.Files, file => Assert.DoesNotMatch(@"redis://[^:\s]*:[^$""\s][^@\s]*@", file.Content));
    }

    [Fact]
    public void Render_ADescriptionWithPlaceholders_NamesThem()
    {
        var spec = RenderCases.Spec("exchange");
        spec = spec with { Pools = [.. spec.Pools.Select(pool => pool with { Nodes = [pool.Nodes[0] with { Address = $"<{pool.Name}-ip>" }] })] };
        Assert.Equal(["<decode-ip>", "<prefill-ip>"], Renderer.Render(new RenderRequest { Spec = spec, Target = RenderTarget.Docker }).Placeholders.Order(StringComparer.Ordinal));
    }

    private static PoolSpec[] Equal(ClusterSpec spec) => [.. spec.Pools.Select(pool => pool with { TensorParallel = 4 })];

    private static DeploymentPlan Plan(string name, HandoverKind? handover = null) =>
        ClusterPlanner.Plan(RenderCases.Request(name, RenderTarget.Docker) with { Handover = handover });

    private static PlannedVariable Variable(PlannedProcess process, string name) => process.Environment.Single(variable => variable.Name == name);
}
