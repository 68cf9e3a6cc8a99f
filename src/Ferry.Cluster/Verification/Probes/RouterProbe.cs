using System.Text.Json.Nodes;
using Ferry.Cluster.Diagnosis;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>The router offers the model and counts every node as up.</summary>
internal sealed class RouterProbe : IProbe
{
    private const string NodeUp = "ferry_router_node_up";

    public string Id => "router";

    public string Title => "the router offers the model and has all nodes";

    public TimeSpan Timeout => TimeSpan.FromSeconds(15);

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster) => [new ProbeTask(cluster.RouterUrl.ToString(), token => RunAsync(cluster, token))];

    private static async Task<ProbeAnswer> RunAsync(VerifyCluster cluster, CancellationToken cancellationToken)
    {
        try
        {
            var (body, problem) = await cluster.Http.GetJsonAsync(new Uri(cluster.RouterUrl, "/v1/models"), cancellationToken);
            if (body?["data"] is not JsonArray models)
            {
                return ProbeAnswer.Violation($"/v1/models: {(problem.Length > 0 ? problem : "no list of models")}.");
            }
            if (models.All(model => model.Text("id") != cluster.Plan.ModelName))
            {
                return ProbeAnswer.Violation($"it offers {string.Join(", ", models.Select(model => model.Text("id")))}, not '{cluster.Plan.ModelName}'.");
            }
            var page = MetricPage.Parse(await cluster.Http.GetStringAsync(new Uri(cluster.RouterUrl, "/metrics"), cancellationToken));
            return Judge(cluster, page);
        }
        catch (HttpRequestException exception) when (exception.StatusCode is null)
        {
            return ProbeAnswer.Violation($"{exception.GetBaseException().Message}.", "Start the router, or name it with --router.");
        }
    }

    private static ProbeAnswer Judge(VerifyCluster cluster, MetricPage page)
    {
        if (!page.Has(NodeUp))
        {
            return ProbeAnswer.Unsupported($"it offers the model, but its metrics have no {NodeUp}: not Ferry's router, so whether it has all nodes stays open.");
        }
        var wrong = new List<string>();
        var nodes = page.Samples(NodeUp).ToList();
        wrong.AddRange(nodes.Where(node => node.Value == 0).Select(node => $"{node.Labels.GetValueOrDefault("node")} ({node.Labels.GetValueOrDefault("role")}) takes no work"));
        foreach (var engine in cluster.Engines.Where(engine => !nodes.Any(node => IsAt(node.Labels.GetValueOrDefault("node"), engine))))
        {
            wrong.Add($"{engine.Name} ({engine.Url.Authority}) is not among its nodes");
        }
        return ProbeAnswer.Of(wrong, $"{nodes.Count} nodes are up: {string.Join(", ", nodes.Select(node => node.Labels.GetValueOrDefault("node")))}", "Its log says why a node is out: `ferry diagnose --container router`.");
    }

    private static bool IsAt(string? node, VerifyTarget engine) => node is not null && node.Contains(engine.Url.Authority, StringComparison.OrdinalIgnoreCase);
}
