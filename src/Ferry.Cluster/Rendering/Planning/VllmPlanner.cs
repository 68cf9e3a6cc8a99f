using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Rendering.Planning;

/// <summary>A node's <c>vllm serve</c>.</summary>
internal sealed class VllmPlanner(PlanContext context, IHandoverProfile handover)
{
    /// <summary>Stands in an image whose version the description does not say.</summary>
    public const string VersionPlaceholder = "<vllm-version>";

    private const string HubPath = "/root/.cache/huggingface";
    private static readonly TimeSpan StartsWithin = TimeSpan.FromMinutes(40);   // Weights of 140 GB from a hub or a slow disk, then graphs.
    private static readonly TimeSpan StopsWithin = TimeSpan.FromMinutes(2);     // Running answers end.
    private static readonly JsonSerializerOptions Compact = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private ModelSpec Model => context.Spec.Model;

    /// <param name="name">Of the container and workload.</param>
    /// <param name="movesKv">There is somebody to hand KV to, or a store to share.</param>
    public PlannedProcess Plan(PoolSpec pool, NodeSpec node, string name, bool movesKv) => new()
    {
        Name = name,
        Kind = PlannedKind.Engine,
        Role = pool.Role,
        Purpose = $"vLLM, {RoleText(pool.Role)}, {pool.Accelerator}, tensor parallel {pool.TensorParallel}",
        Image = Image(pool),
        Program = "vllm",
        Arguments = [.. Arguments(pool, node, movesKv)],
        Environment = [.. Environment(pool, node, movesKv)],
        Mounts = [.. Mounts()],
        Ports = [new PlannedPort("http", ClusterSpec.PortOf(pool, node), PortCallers.Router | PortCallers.Monitoring), .. movesKv ? handover.Ports(context, pool, node) : []],
        Hardware = HardwarePlanner.Of(context, pool, movesKv && handover.UsesUcx),
        Health = new PlannedProbe(ClusterSpec.PortOf(pool, node), "/health", StartsWithin),
        MetricsPort = ClusterSpec.PortOf(pool, node),
        MemoryNeedBytes = movesKv && context.UsesExchange ? NodeMemory.Of(context, pool).RankBytes * pool.TensorParallel : null,   // What LMCache's pools of all ranks pin when the engine starts.
        Beside = movesKv && context is { UsesExchange: true, IsKubernetes: true } ? ExchangeSite.NameFor(pool.Name) : null,
        StopsWithin = StopsWithin,
    };

    public static string RoleText(PoolRole role) => role switch { PoolRole.Prefill => "prefill", PoolRole.Decode => "decode", _ => "prefill and decode" };

    private string Image(PoolSpec pool)
    {
        if (pool.Engine.Image is { } image)
        {
            return image;
        }
        var profile = context.Spec.ProfileOf(pool);
        if (pool.Engine.Version is null)
        {
            context.Warn($"Pool {pool.Name} has neither engine.version nor engine.image: {VersionPlaceholder} stands where the version belongs. Take one that both vendors have, for example 0.24.0.");
        }
        return profile.Image.Replace("{version}", pool.Engine.Version ?? VersionPlaceholder, StringComparison.Ordinal);
    }

    private IEnumerable<PlannedArgument> Arguments(PoolSpec pool, NodeSpec node, bool movesKv)
    {
        yield return PlannedArgument.Of("serve", Model.Id);
        if (Model.Revision is { } revision) { yield return PlannedArgument.Of("--revision", revision); }
        if (Model.ServedName is { } served) { yield return PlannedArgument.Of("--served-model-name", served); }
        yield return PlannedArgument.Of("--host", context.ListenAddress(node));
        yield return PlannedArgument.Of("--port", $"{ClusterSpec.PortOf(pool, node)}");
        yield return PlannedArgument.Of("--dtype", SpecNames.Of(Model.DType));
        if (KvDType(pool) is { } kvDType) { yield return PlannedArgument.Of("--kv-cache-dtype", kvDType); }
        yield return PlannedArgument.Of("--tensor-parallel-size", $"{pool.TensorParallel}");
        if (pool.BlockTokens is { } block) { yield return PlannedArgument.Of("--block-size", $"{block}"); }
        yield return PlannedArgument.Of("--max-model-len", $"{Model.MaxLength}");
        yield return PlannedArgument.Of("--max-num-seqs", $"{pool.Limits.Sequences}");
        if (pool.Limits.BatchedTokens is { } batched) { yield return PlannedArgument.Of("--max-num-batched-tokens", $"{batched}"); }
        yield return PlannedArgument.Of("--gpu-memory-utilization", pool.MemoryUtilization.ToString("0.####", CultureInfo.InvariantCulture));
        if (pool.Engine.AttentionBackend is { } backend) { yield return PlannedArgument.Of("--attention-backend", backend); }
        if (pool.Engine.ChunkedPrefill is { } chunked) { yield return PlannedArgument.Of(chunked ? "--enable-chunked-prefill" : "--no-enable-chunked-prefill"); }
        if (pool.Engine.PrefixCaching is { } caching) { yield return PlannedArgument.Of(caching ? "--enable-prefix-caching" : "--no-enable-prefix-caching"); }
        if (Model.TrustRemoteCode) { yield return PlannedArgument.Because("as model.trustRemoteCode says: runs Python code of the model's repository", "--trust-remote-code"); }
        if (Model.ChatTemplate is { } template) { yield return PlannedArgument.Of("--chat-template", template); }
        if (movesKv)
        {
            foreach (var argument in handover.Arguments(context, pool)) { yield return argument; }
            // Two words, not one with '=': vLLM's Gaudi plugin looks for the connector's name in the word behind the flag.
            yield return PlannedArgument.Because("one JSON word; vLLM refuses unknown keys in it", "--kv-transfer-config", Json(handover.TransferConfig(context, pool, node)));
        }
        foreach (var flag in pool.Engine.Flags) { yield return new PlannedArgument(CommandLineWords.Split(flag)); }
    }

    private static string Json(JsonObject value) => value.ToJsonString(Compact);

    private string? KvDType(PoolSpec pool) => Model.KvDType switch
    {
        KvCacheDType.Auto => null,
        KvCacheDType.Fp8 when context.Spec.ProfileOf(pool).Vendor == AcceleratorVendor.IntelGaudi => "fp8_inc",   // The only fp8 that Gaudi takes.
        _ => SpecNames.Of(Model.KvDType),
    };

    private IEnumerable<PlannedVariable> Environment(PoolSpec pool, NodeSpec node, bool movesKv)
    {
        var profile = context.Spec.ProfileOf(pool);
        var own = pool.Engine.Environment;
        var variables = new List<PlannedVariable>();
        if (profile.VisibleDevicesVariable.Length > 0 && !context.IsKubernetes)
        {
            variables.Add(new PlannedVariable(profile.VisibleDevicesVariable, string.Join(',', ClusterSpec.DevicesOf(pool, node)), $"as many devices as ranks: {pool.TensorParallel}"));
        }
        if (profile.Vendor == AcceleratorVendor.IntelGaudi)
        {
            variables.Add(new PlannedVariable("OMPI_MCA_btl_vader_single_copy_mechanism", "none", "Open MPI in a container may not read other processes' memory"));
        }
        if (movesKv)
        {
            variables.AddRange(handover.Environment(context, pool, node));
        }
        if (context.Secrets.HuggingFaceToken is { } token && !IsDirectory(Model.Id))
        {
            variables.Add(PlannedVariable.Of(token));
        }
        return variables.Where(variable => !own.ContainsKey(variable.Name))
            .Concat(own.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => new PlannedVariable(entry.Key, entry.Value, "as engine.env says")));
    }

    private IEnumerable<PlannedMount> Mounts()
    {
        yield return IsDirectory(Model.Id)
            ? new PlannedMount("model", Model.Id, Model.Id, IsReadOnly: true, Sizes.WeightBytes(Model) ?? 0, "the model's directory on this host, by the same path: its name is part of every key")
            : new PlannedMount("hub", null, HubPath, IsReadOnly: false, 2 * (Sizes.WeightBytes(Model) ?? 100L << 30), "downloaded weights outlive the container");
        if (Model.ChatTemplate is { } template)
        {
            yield return new PlannedMount("template", template, template, IsReadOnly: true, 1 << 20, "the chat template on this host");
        }
    }

    public static bool IsDirectory(string model) => model.StartsWith('/');
}
