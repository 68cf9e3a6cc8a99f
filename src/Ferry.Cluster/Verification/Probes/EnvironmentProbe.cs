using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Spec;
using Ferry.Cluster.Verification.Access;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>The environment that each process really has, against what ferry.yaml says: an <c>env</c> in a shell proves nothing.</summary>
internal sealed class EnvironmentProbe : IProbe
{
    /// <summary>Set in Kubernetes by the pod's own address, which the plan does not know.</summary>
    private const string PodAddress = "$(POD_IP)";

    /// <summary>Names that change what moves and under which keys: set where ferry.yaml says nothing, they are wrong too. Values that images bring for tuning are not among them.</summary>
    private static readonly string[] Decisive = ["UCX_TLS", "UCX_NET_DEVICES", "PYTHONHASHSEED", "VLLM_NIXL_SIDE_CHANNEL_HOST", "VLLM_NIXL_SIDE_CHANNEL_PORT", "VLLM_KV_CACHE_LAYOUT"];

    private const string LmCachePrefix = "LMCACHE_";

    public string Id => "environment";

    public string Title => "environment of each process as ferry.yaml says";

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster) =>
        cluster.Targets.Select(target => new ProbeTask(target.Name, token => RunAsync(cluster.Spec, target, token)));

    private static async Task<ProbeAnswer> RunAsync(ClusterSpec spec, VerifyTarget target, CancellationToken cancellationToken)
    {
        var processes = await target.Access.ProcessesAsync(cancellationToken);
        var own = OwnProcesses(processes, target.Planned.Program);
        if (own.Count == 0)
        {
            return ProbeAnswer.Violation($"no process of {target.Planned.Program} runs in {target.Access.Description}; {(processes.Count == 0 ? "nothing does" : $"there is: {string.Join(", ", processes.Take(5).Select(process => HttpAnswers.Shorten(process.Command)))}")}.");
        }
        var readable = own.Where(process => process.Environment is not null).ToList();
        if (readable.Count == 0)
        {
            return ProbeAnswer.Inconclusive($"the environment of {own.Count} processes cannot be read: another user's, or overwritten by the process' title.", "Run it as root.");
        }
        var vendor = target.Pool is { } pool ? spec.ProfileOf(pool).Vendor : AcceleratorVendor.Nvidia;
        var wrong = new List<string>();
        foreach (var process in readable)
        {
            wrong.AddRange(Compare(target.Planned, process, vendor));
        }
        return ProbeAnswer.Of([.. wrong.Distinct()], $"{target.Planned.Environment.Count} variables are right in {readable.Count} process{(readable.Count == 1 ? "" : "es")}{(own.Count > readable.Count ? $" ({own.Count - readable.Count} have overwritten theirs)" : "")}{Ucx(readable[0])}",
            "Start the process with the environment that `ferry render` writes.");
    }

    /// <summary>Processes of the program, whatever interpreter runs it; vLLM's workers call themselves VLLM::…</summary>
    internal static List<NodeProcess> OwnProcesses(IReadOnlyList<NodeProcess> processes, string program) =>
        [.. processes.Where(process => process.Command.Contains(program, StringComparison.OrdinalIgnoreCase) && !process.Command.StartsWith("sh -c", StringComparison.Ordinal) && !process.Command.StartsWith("bash ", StringComparison.Ordinal))];

    internal static IEnumerable<string> Compare(PlannedProcess planned, NodeProcess process, AcceleratorVendor vendor)
    {
        var actual = process.Environment!;
        foreach (var variable in planned.Environment)
        {
            if (!actual.TryGetValue(variable.Name, out var value))
            {
                yield return $"{variable.Name} is not set, and should be {Wanted(variable)}";
            }
            else if (variable.Secret is not null ? value.Length <= variable.Text.Length + variable.Rest.Length || !value.StartsWith(variable.Text, StringComparison.Ordinal) || !value.EndsWith(variable.Rest, StringComparison.Ordinal)
                : !variable.Text.Contains(PodAddress, StringComparison.Ordinal) && value != variable.Text)
            {
                yield return variable.Secret is not null ? $"{variable.Name} holds no {variable.Secret.Variable} in the wanted form" : $"{variable.Name} is '{HttpAnswers.Shorten(value)}', and should be {Wanted(variable)}";
            }
        }
        foreach (var name in actual.Keys.Where(name => (Decisive.Contains(name) || name.StartsWith(LmCachePrefix, StringComparison.Ordinal)) && planned.Environment.All(variable => variable.Name != name)).Order(StringComparer.Ordinal))
        {
            yield return $"{name} is set, and ferry.yaml says nothing of it";
        }
        if (vendor != AcceleratorVendor.Nvidia && actual.GetValueOrDefault("UCX_TLS") is { } transports && transports.Contains("cuda", StringComparison.Ordinal) && !transports.StartsWith('^'))
        {
            yield return $"UCX_TLS is '{HttpAnswers.Shorten(transports)}': CUDA transports do not exist here";
        }
    }

    private static string Wanted(PlannedVariable variable) => variable.Secret is null ? $"'{variable.Text}'" : $"given by {variable.Secret.Variable}";

    private static string Ucx(NodeProcess process) => process.Environment!.GetValueOrDefault("UCX_TLS") is { } transports ? $"; UCX_TLS={HttpAnswers.Shorten(transports)}" : "";
}
