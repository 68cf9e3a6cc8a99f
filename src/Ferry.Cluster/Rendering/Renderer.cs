using Ferry.Cluster.Rendering.Compose;
using Ferry.Cluster.Rendering.Docker;
using Ferry.Cluster.Rendering.Kubernetes;
using Ferry.Cluster.Rendering.Output;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Rendering.Planning;

namespace Ferry.Cluster.Rendering;

/// <summary>Renders a cluster: plans its processes, then prints the plan. Equal descriptions give equal bytes.</summary>
public static class Renderer
{
    /// <exception cref="RenderException">The description cannot be rendered as asked; all reasons at once.</exception>
    public static RenderedCluster Render(RenderRequest request)
    {
        var plan = ClusterPlanner.Plan(request);
        var files = (request.Target switch
        {
            RenderTarget.Docker => plan.Nodes.SelectMany(node => DockerScripts.Of(plan, node)),
            RenderTarget.Compose => plan.Nodes.SelectMany(node => ComposeFile.Of(plan, node)),
            _ => KubernetesManifests.Of(plan),
        }).ToList();
        var placeholders = Placeholders.Of(files.Select(file => file.Content));
        var variables = Variables(plan, request.Target);
        files.Add(new RenderedFile("README.md", ReadmeText.Of(plan, request.Target, placeholders)));
        return new RenderedCluster([.. files.OrderBy(file => file.Path, StringComparer.Ordinal)], plan.Warnings, placeholders, variables);
    }

    private static IReadOnlyList<string> Variables(DeploymentPlan plan, RenderTarget target)
    {
        if (target == RenderTarget.Kubernetes)
        {
            return [];
        }
        var secrets = plan.Secrets.Where(secret => secret.File is null || target == RenderTarget.Compose).Select(secret => secret.SourceVariable);
        var paths = plan.Processes.SelectMany(process => process.Mounts).Select(mount => mount.HostVariable).OfType<string>();
        return [.. secrets.Concat(paths).Distinct()];
    }
}
