using System.Globalization;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary><c>ferry cache</c>: the store of a node's engine; through those of all nodes vLLM's engines meet.</summary>
internal sealed class ExchangePlanner(PlanContext context)
{
    /// <summary>As many as <c>ferry cache</c> takes.</summary>
    public const int PeersMax = 64;

    private const string ConfigurationPath = "/etc/ferry";
    private const long OverheadBytes = 1L << 30;                                // Of the process beside its arena, and a tenth of it.
    private static readonly TimeSpan StartsWithin = TimeSpan.FromMinutes(2);    // A large disk tier is indexed at the start.
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(40);    // Its own drain takes 20 s.

    public PlannedProcess Plan(ExchangeSite site)
    {
        var (pool, node) = (site.Pool, site.Node);
        var cache = context.Spec.CacheOf(pool);
        var memory = NodeMemory.Of(context, pool).ExchangeBytes;
        var card = ModelCard();
        var (resp, admin) = (context.RespPort(node), context.AdminPort(node));
        var environment = new List<PlannedVariable> { PlannedVariable.Of(context.Secrets.RespPassword) };
        if (site.IsKubernetes)
        {
            environment.Add(PlannedVariable.Of(context.Secrets.AdminToken));
        }
        environment.AddRange(context.Secrets.Storage().Select(PlannedVariable.Of));
        return new PlannedProcess
        {
            Name = site.Name,
            Kind = PlannedKind.Exchange,
            Purpose = "the store of the engine beside it",
            Image = context.Spec.Cache.Image,
            Program = "ferry",
            IsFerry = true,
            Arguments = [.. Arguments(site, cache, memory, resp, admin, card)],
            Environment = environment,
            Files = card is null ? [] : [card],
            Mounts = [.. Mounts(site, cache)],
            Ports = [new PlannedPort("resp", resp, PortCallers.Engines | PortCallers.Exchanges), new PlannedPort("admin", admin, PortCallers.Monitoring)],
            Health = new PlannedProbe(admin, "/health", StartsWithin, site.IsKubernetes ? null : "127.0.0.1"),
            MetricsPort = admin,
            MetricsToken = site.IsKubernetes ? context.Secrets.AdminToken : null,
            MemoryBytes = Sizes.RoundUp(memory + (memory / 10) + OverheadBytes, 1 << 20),
            MemoryNeedBytes = memory + (memory / 10) + OverheadBytes,
            StopsWithin = StopsWithin,
        };
    }

    private IEnumerable<PlannedArgument> Arguments(ExchangeSite site, CacheSpec cache, long memory, int resp, int admin, PlannedFile? card)
    {
        yield return PlannedArgument.Of("cache");
        yield return PlannedArgument.Because("LMCache's clients, all ranks of this node's engine, and the other exchanges", "--resp", PlanContext.Endpoint(context.ListenAddress(site.Node), resp));
        yield return site.IsKubernetes
            ? PlannedArgument.Because("metrics and health; other requests than /health must bring the token", "--admin", PlanContext.Endpoint("0.0.0.0", admin))
            : PlannedArgument.Because("metrics, health and the commands, for this host only", "--admin", PlanContext.Endpoint("127.0.0.1", admin));
        yield return PlannedArgument.Because("what the node gives to the cache, less the pools of LMCache's ranks beside it", "--memory", Sizes.Exact(memory));
        yield return PlannedArgument.Of("--policy", SpecNames.Of(cache.Policy));
        yield return PlannedArgument.Of("--chunk-size", $"{cache.ChunkTokens}");
        yield return PlannedArgument.Because("shards of one tensor-parallel size are cut for the other", "--convert", cache.Convert ? "on" : "off");
        if (card is not null) { yield return PlannedArgument.Because("layers and heads of the model, which conversion needs", "--models", card.ContainerPath); }
        if (cache.DiskBytes > 0)
        {
            yield return PlannedArgument.Because("its content survives restarts", "--disk", cache.DiskPath);
            yield return PlannedArgument.Of("--disk-size", Sizes.Exact(cache.DiskBytes));
        }
        if (site.Peers(context).Take(PeersMax).ToArray() is { Length: > 0 } peers)
        {
            yield return PlannedArgument.Because(site.IsKubernetes ? "all exchanges, of which this one leaves itself out: what is not here is read from the others" : "the other nodes' exchanges: what is not here is read from them", ["--peer", .. peers]);
        }
        if (SharedStore.Url(context.Spec) is { } url)
        {
            yield return PlannedArgument.Because("the tier that the whole fleet shares; written behind", "--remote", url);
            if (SharedStore.MaximumBytes(context.Spec) is { } most) { yield return PlannedArgument.Of("--remote-size", Sizes.Exact(most)); }
        }
    }

    private IEnumerable<PlannedMount> Mounts(ExchangeSite site, CacheSpec cache)
    {
        if (cache.DiskBytes > 0)
        {
            // A few percent more than the tier: its cap is what the files take up, and a file system needs room of its own.
            yield return new PlannedMount("cache", HostPath(site, cache), cache.DiskPath, IsReadOnly: false, Sizes.RoundUp(cache.DiskBytes + (cache.DiskBytes / 20), 1L << 30), "the disk tier");
        }
        if (context.Spec.Storage.Directory is { } directory)
        {
            yield return new PlannedMount("shared", directory.Path, directory.Path, IsReadOnly: false, 0, "the directory that every node mounts");
        }
    }

    /// <summary>One exchange at a time uses a directory: nodes on one machine have one each.</summary>
    private string? HostPath(ExchangeSite site, CacheSpec cache) =>
        site.IsKubernetes ? null : context.SharesMachine(site.Node) ? $"{cache.DiskPath}/{site.Node.Name}" : cache.DiskPath;

    private PlannedFile? ModelCard()
    {
        if (context.Spec.Model.TryShape() is not { } shape)
        {
            return null;
        }
        var sizes = string.Join(", ", context.Spec.Pools.Select(pool => pool.TensorParallel).Distinct().Order());
        var dtype = context.Spec.Model.KvDType switch
        {
            KvCacheDType.Float16 => "fp16",
            KvCacheDType.Float32 => "fp32",
            KvCacheDType.Auto when context.Spec.Model.DType == ModelDType.Float16 && context.Spec.Pools.All(pool => context.Spec.ProfileOf(pool).Vendor != AcceleratorVendor.IntelGaudi) => "fp16",
            KvCacheDType.Auto when context.Spec.Model.DType == ModelDType.Float32 => "fp32",
            _ => "bf16",
        };
        return new PlannedFile("models.yaml", $"{ConfigurationPath}/models.yaml", string.Create(CultureInfo.InvariantCulture, $"""
            # What a shard of this model is made of: the exchange cuts and joins shards by it, and never guesses.
            models:
              - name: {Output.YamlPrinter.Quote(context.Spec.Model.Id)}
                layers: {shape.Layers}
                kv_heads: {shape.KvHeads}
                head_dim: {shape.HeadDim}
                dtype: {dtype}
                chunk_size: {context.Spec.Cache.ChunkTokens}
                tensor_parallel: [{sizes}]

            """));
    }
}
