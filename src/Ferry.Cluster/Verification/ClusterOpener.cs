using System.Collections.Concurrent;
using Ferry.Cluster.Containers;
using Ferry.Cluster.Rendering;
using Ferry.Cluster.Rendering.Docker;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Rendering.Planning;
using Ferry.Cluster.Spec;
using Ferry.Cluster.Verification.Access;

namespace Ferry.Cluster.Verification;

/// <summary>Finds the processes of a cluster: what <c>ferry render</c> would start, by the names that it would give.</summary>
internal static class ClusterOpener
{
    /// <exception cref="RenderException">The description makes no cluster.</exception>
    /// <exception cref="ContainerException">Kubernetes cannot be asked at all. An engine of Docker that does not answer shows in the probes of its nodes.</exception>
    public static async Task<VerifyCluster> OpenAsync(ClusterSpec spec, VerifyOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var isKubernetes = options.Access == VerifyAccess.Kubernetes;
        var plan = ClusterPlanner.Plan(new RenderRequest
        {
            Spec = spec,
            Target = isKubernetes ? RenderTarget.Kubernetes : RenderTarget.Docker,
            Engine = options.EngineFerry ? EngineKind.Ferry : null,
        });
        if (isKubernetes)
        {
            var pods = KubernetesPods.Connect(options.KubernetesContext, plan.Kubernetes.Namespace ?? plan.Cluster);
            var owner = new OwnedPods(pods);
            try
            {
                return new VerifyCluster(spec, plan, await PodsAsync(spec, plan, pods, time, cancellationToken), options, time, [owner]);
            }
            catch
            {
                await owner.DisposeAsync();
                throw;
            }
        }
        var engines = new DockerEngines();
        var targets = new List<VerifyTarget>();
        foreach (var node in plan.Nodes)
        {
            var machine = spec.Nodes.FirstOrDefault(entry => entry.Node.Name == node.Name).Node ?? spec.Nodes.FirstOrDefault(entry => entry.Node.Address == node.Address).Node;
            foreach (var process in node.Processes)
            {
                targets.Add(new VerifyTarget(process.Name, process, node.Address, PoolOf(spec, node), AccessTo(plan, process, machine, options, time, engines)));
            }
        }
        return new VerifyCluster(spec, plan, targets, options, time, [engines]);
    }

    private static INodeAccess AccessTo(DeploymentPlan plan, PlannedProcess process, NodeSpec? machine, VerifyOptions options, TimeProvider time, DockerEngines engines)
    {
        switch (options.Access)
        {
            case VerifyAccess.Http:
                return HttpAccess.Instance;
            case VerifyAccess.Local:
                return new LocalAccess(process.Health.Port, time);
            default:
                var endpoint = machine?.Docker ?? options.Docker;
                var container = options.Containers.GetValueOrDefault(process.Name) ?? DockerScripts.Container(plan, process);
                return new DockerAccess(token => engines.ConnectAsync(endpoint, token), container, endpoint ?? "the local engine");
        }
    }

    private static PoolSpec? PoolOf(ClusterSpec spec, PlannedNode node) => spec.Pools.FirstOrDefault(pool => pool.Name == node.Pool);

    private static async Task<IReadOnlyList<VerifyTarget>> PodsAsync(ClusterSpec spec, DeploymentPlan plan, KubernetesPods pods, TimeProvider time, CancellationToken cancellationToken)
    {
        var targets = new List<VerifyTarget>();
        foreach (var node in plan.Nodes)
        {
            foreach (var process in node.Processes)
            {
                var labels = new Dictionary<string, string> { ["app.kubernetes.io/name"] = process.Name, ["app.kubernetes.io/part-of"] = plan.Cluster };
                var found = await pods.FindAsync(labels, cancellationToken);
                targets.AddRange(found.Select(pod => new VerifyTarget(pod.Metadata.Name, process, pod.Status.PodIP, PoolOf(spec, node), new KubernetesAccess(pods, pod.Metadata.Name, process.Name, time))));
                if (found.Count == 0)
                {
                    targets.Add(new VerifyTarget(process.Name, process, node.Address, PoolOf(spec, node), new AbsentAccess($"no pod of {process.Name} runs in namespace {pods.Namespace}")));
                }
            }
        }
        return targets;
    }

    /// <summary>Connections to engines, one an address, made at the first use.</summary>
    private sealed class DockerEngines : IAsyncDisposable
    {
        private readonly ConcurrentDictionary<string, Lazy<Task<DockerEngine>>> _engines = new(StringComparer.Ordinal);

        public Task<DockerEngine> ConnectAsync(string? endpoint, CancellationToken cancellationToken) =>
            _engines.GetOrAdd(endpoint ?? "", _ => new(() => DockerEngine.ConnectAsync(endpoint, CancellationToken.None))).Value.WaitAsync(cancellationToken);

        public async ValueTask DisposeAsync()
        {
            foreach (var engine in _engines.Values)
            {
                try
                {
                    await (await engine.Value).DisposeAsync();
                }
                catch (ContainerException)
                {
                    // It never answered; the probes said so.
                }
            }
        }
    }

    private sealed class OwnedPods(KubernetesPods pods) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            pods.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
