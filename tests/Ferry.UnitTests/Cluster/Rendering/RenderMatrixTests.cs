using Ferry.Cluster.Rendering;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Rendering.Planning;
using Ferry.Cluster.Spec;
using k8s;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Ferry.UnitTests.Cluster.Rendering;

/// <summary>Every way of handing over with every store, network, role and engine: either all reasons why not, or files that their readers take.</summary>
public sealed class RenderMatrixTests
{
    private static readonly StorageSpec[] Stores =
    [
        new(),
        new() { S3 = new S3Spec { Endpoint = "http://10.0.3.1:7480", Bucket = "kv-cache", Prefix = "a/b" } },
        new() { Redis = new RedisSpec { Address = "10.0.3.2:6379", Password = new SecretSpec { Environment = "REDIS_PASSWORD" }, MaximumBytes = 1L << 40 } },
        new() { Directory = new DirectorySpec { Path = "/mnt/kv" } },
    ];

    private static readonly Dictionary<string, AcceleratorProfile> Own = new()
    {
        ["own"] = AcceleratorProfiles.Mi300x with { Vendor = AcceleratorVendor.Nvidia, KubernetesResource = "nvidia.com/gpu", VisibleDevicesVariable = "NVIDIA_VISIBLE_DEVICES" },
    };

    [Theory]
    [InlineData(RenderTarget.Docker)]
    [InlineData(RenderTarget.Compose)]
    [InlineData(RenderTarget.Kubernetes)]
    public void Render_EveryCombination_GivesFilesThatTheirReadersTakeOrAllReasonsWhyNot(RenderTarget target)
    {
        var (rendered, refused) = (0, 0);
        foreach (var spec in Combinations())
        {
            foreach (var engine in (EngineKind?[])[null, EngineKind.Ferry])
            {
                try
                {
                    var files = Renderer.Render(new RenderRequest { Spec = spec, Target = target, Engine = engine }).Files;
                    rendered++;
                    foreach (var file in files.Where(file => file.Path.EndsWith(".yaml", StringComparison.Ordinal)))
                    {
                        new YamlStream().Load(new StringReader(file.Content));
                        if (target == RenderTarget.Kubernetes && file.Path is not ("kustomization.yaml" or "monitoring.yaml"))
                        {
                            KubernetesYaml.LoadAllFromString(file.Content, null, true);
                        }
                    }
                }
                catch (RenderException exception)
                {
                    refused++;
                    Assert.NotEmpty(exception.Errors);
                    Assert.All(exception.Errors, error => Assert.EndsWith(".", error, StringComparison.Ordinal));
                }
            }
        }
        Assert.True(rendered > 100 && refused > 10, $"{rendered} rendered, {refused} refused");
    }

    [Fact]
    public void Plan_NodesThatDoBoth_HaveAnExchangeEachAndNoPromptGoesToTwo()
    {
        var spec = RenderCases.Spec("exchange");
        spec = spec with { Pools = [spec.Pools[0] with { Role = PoolRole.Both }], Storage = Stores[1] };
        var plan = ClusterPlanner.Plan(new RenderRequest { Spec = spec, Target = RenderTarget.Docker });
        Assert.Equal(["prefill-0-exchange", "prefill-1-exchange"], plan.Processes.Where(process => process.Kind == PlannedKind.Exchange).Select(process => process.Name).Order(StringComparer.Ordinal));
        foreach (var node in plan.Nodes.Where(node => node.Pool is not null))
        {
            Assert.EndsWith($"@{node.Address}:6390", node.Processes[1].Environment.Single(variable => variable.Name == "LMCACHE_REMOTE_URL").Rest, StringComparison.Ordinal);
        }
        Assert.Contains("minPromptTokens: 16777216", plan.Processes.Single(process => process.Kind == PlannedKind.Router).Files.Single().Content, StringComparison.Ordinal);
    }

    [Fact]
    public void Manifests_OfSeveralPoolsOfARole_GiveTheRouterOneNameForAllTheirPods()
    {
        var spec = RenderCases.Spec("exchange");
        var second = spec.Pools[0] with { Name = "prefill-b", Accelerator = "gaudi3", Nodes = [new NodeSpec { Name = "prefill-9", Address = "10.0.0.19" }] };
        var request = new RenderRequest { Spec = spec with { Pools = [spec.Pools[0], second, spec.Pools[1]] }, Target = RenderTarget.Kubernetes };
        var objects = Renderer.Render(request).Files.Where(file => file.Path.EndsWith(".yaml", StringComparison.Ordinal) && file.Path is not ("kustomization.yaml" or "monitoring.yaml"))
            .SelectMany(file => KubernetesYaml.LoadAllFromString(file.Content, null, true)).ToList();
        var service = objects.OfType<k8s.Models.V1Service>().Single(service => service.Metadata.Name == "prefill-nodes");
        var pods = objects.OfType<k8s.Models.V1StatefulSet>().Where(set => service.Spec.Selector.All(entry => set.Spec.Template.Metadata.Labels.TryGetValue(entry.Key, out var value) && value == entry.Value));
        Assert.Equal(["prefill", "prefill-b"], pods.Select(set => set.Metadata.Name).Order(StringComparer.Ordinal));
        Assert.Contains("prefill: prefill-nodes:8000", objects.OfType<k8s.Models.V1ConfigMap>().Single(map => map.Metadata.Name == "router-files").Data["router.yaml"], StringComparison.Ordinal);

        var refusal = Assert.Throws<RenderException>(() => Renderer.Render(request with { Spec = spec with { Pools = [spec.Pools[0], second with { Port = 8010 }, spec.Pools[1]] } }));
        Assert.Contains("give them one port", Assert.Single(refusal.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_ANodeCalledLikeTheRouter_IsRefused()
    {
        var spec = RenderCases.Spec("exchange");
        spec = spec with { Pools = [spec.Pools[0], spec.Pools[1] with { Nodes = [spec.Pools[1].Nodes[0] with { Name = "router" }] }] };
        var refusal = Assert.Throws<RenderException>(() => ClusterPlanner.Plan(new RenderRequest { Spec = spec, Target = RenderTarget.Compose }));
        Assert.Contains("called router", Assert.Single(refusal.Errors), StringComparison.Ordinal);
    }

    private static IEnumerable<ClusterSpec> Combinations()
    {
        var start = RenderCases.Spec("exchange");
        string[][] accelerators = [["mi300x", "gaudi3"], ["mi300x", "mi300x"], ["gaudi3", "gaudi3"], ["cpu", "cpu"], ["own", "own"]];
        return from handover in Enum.GetValues<HandoverKind>()
               from store in Stores
               from transport in Enum.GetValues<TransportKind>()
               from buffer in Enum.GetValues<BufferDevice>()
               from pair in accelerators
               select start with
               {
                   Handover = start.Handover with { Kind = handover, BufferDevice = buffer, EnforceCompatibility = false },
                   Storage = store,
                   Transport = new TransportSpec { Kind = transport, Devices = transport == TransportKind.Tcp ? [] : ["mlx5_0:1"] },
                   Profiles = Own,
                   Pools = [.. start.Pools.Select((pool, index) => pool with { Accelerator = pair[index] })],
                   Cache = start.Cache with { DiskBytes = 10L << 30, SaveUnfullChunk = buffer == BufferDevice.Cpu },
               };
    }
}
